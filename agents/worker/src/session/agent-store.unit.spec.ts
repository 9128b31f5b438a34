import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { taskSpecSchema } from '@gantry/contracts/tasks/task-spec';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AttemptRecord } from './attempt-record.js';
import { AgentStore } from './agent-store.js';

const KEY = 't.1';
const accepted: AttemptRecord = {
  version: 1,
  assignment: {
    taskId: 't',
    attempt: 1,
    ownerId: 'u',
    spec: taskSpecSchema.parse({ name: 't', image: 'i' }),
    workerId: 'w',
    workerName: 'w',
    gpuIds: [],
    leaseMs: 60_000,
    assignedAt: 0,
  },
  state: { status: 'accepted' },
};
const running: AttemptRecord = {
  ...accepted,
  state: { status: 'running', containerId: 'c', startedAt: 5 },
  usage: { cpuSeconds: 1, peakMemoryMb: 2 },
};

describe('what an agent keeps on disk', () => {
  let folder: string;
  let errors: unknown[];
  const open = (now = 0) => new AgentStore(folder, undefined, now, (error) => errors.push(error));
  const journal = () => join(folder, 'attempts', KEY, 'attempt.jsonl');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gantry-agent-store-'));
    errors = [];
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('is the newest state of an attempt with its assignment, and what was noted of it, for the next start', () => {
    const store = open();
    store.saveAttempt(KEY, accepted);
    store.markLog(KEY);
    store.saveStartOnBoot(KEY, { id: 'b', at: 7 });
    store.saveAttempt(KEY, running);
    const next = open();
    expect(next.attempts()).toEqual([{ key: KEY, record: running }]);
    expect([next.hasLogMark(KEY), next.startOnBoot(KEY)]).toEqual([true, { id: 'b', at: 7 }]);
    // The assignment is written once, not with each step.
    expect(readFileSync(journal(), 'utf8').split('"assignment"')).toHaveLength(2);
    expect(errors).toEqual([]);
  });

  it('is what was known before when the disk got full in the middle of a line, and goes on after it', () => {
    const store = open();
    store.saveAttempt(KEY, accepted);
    const whole = readFileSync(journal()).length;
    store.saveAttempt(KEY, running);
    truncateSync(journal(), readFileSync(journal()).length - 9);
    expect(readFileSync(journal()).length).toBeGreaterThan(whole);
    expect(open().attempts()).toEqual([{ key: KEY, record: accepted }]);
    const next = open();
    next.saveAttempt(KEY, running);
    expect(open().attempts()).toEqual([{ key: KEY, record: running }]);
  });

  it('is no attempt where not even its assignment had room, and the next word of it says everything', () => {
    const store = open();
    store.saveAttempt(KEY, accepted);
    truncateSync(journal(), 20);
    const next = open();
    expect(next.attempts()).toEqual([]);
    next.saveAttempt(KEY, running);
    expect(open().attempts()).toEqual([{ key: KEY, record: running }]);
  });

  it('remembers what is over, also what ends at the same moment and after a line that was cut short', async () => {
    const store = open();
    expect(store.isFinished('a.1')).toBe(false);
    const first = store.markFinished('a.1', 1);
    expect(store.isFinished('a.1')).toBe(true);
    await Promise.all([first, store.markFinished('b.1', 2), store.markFinished('a.1', 3)]);
    appendFileSync(join(folder, 'finished.jsonl'), '\n{"key":"torn');
    await store.markFinished('c.1', 4);
    const next = open(5);
    expect(['a.1', 'b.1', 'c.1', 'torn'].map((key) => next.isFinished(key))).toEqual([true, true, true, false]);
    expect(open(3 * 86_400_000).isFinished('a.1')).toBe(false);
    expect(errors).toEqual([]);
  });

  it('says when it cannot be written, and goes on', async () => {
    const store = open();
    rmSync(folder, { recursive: true });
    await store.markFinished('a.1', 1);
    store.saveAssignSequence(5);
    expect(store.isFinished('a.1')).toBe(true);
    expect(errors.length).toBeGreaterThanOrEqual(2);
  });

  it('writes sequence and counters over shorter and longer ones', () => {
    writeFileSync(join(folder, 'assign-sequence'), '123');
    const store = open();
    expect(store.assignSequence()).toBe(123);
    store.saveAssignSequence(1_000_000);
    expect(open().assignSequence()).toBe(1_000_000);
    store.saveAssignSequence(7);
    expect(open().assignSequence()).toBe(7);
    expect(Math.abs(Date.now() - (open().assignedAt() ?? 0))).toBeLessThan(60_000);
    store.count('completed');
    store.count('failed');
    store.count('completed');
    expect(open().counters()).toEqual({ completed: 2, failed: 1 });
  });

  it('forgets an attempt with and without files', async () => {
    const store = open();
    for (const files of [false, true]) {
      store.saveAttempt(KEY, accepted);
      const output = store.prepare(KEY);
      if (files) writeFileSync(join(output, 'file'), 'x');
      await store.forget(KEY);
      expect(existsSync(join(folder, 'attempts', KEY))).toBe(false);
      expect(store.hasLogMark(KEY)).toBe(false);
    }
  });
});
