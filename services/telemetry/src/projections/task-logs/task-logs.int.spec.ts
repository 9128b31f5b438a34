import type { LogChunk, LogLine } from '@gantry/contracts/agents/log-chunk';
import { subjects } from '@gantry/contracts/messaging/streams';
import { readLogs } from '@gantry/contracts/telemetry/telemetry-requests';
import { deterministicId } from '@gantry/kernel/ids';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EmbeddedDatabase } from '../../testing/embedded-database.js';
import { messageOf } from '../../testing/stream-messages.js';
import { TaskLogsProjection } from './task-logs.projection.js';
import { TaskLogsReader } from './task-logs.reader.js';

const taskId = deterministicId('task', 'logs');
let database: EmbeddedDatabase;
let projection: TaskLogsProjection;
let reader: TaskLogsReader;

beforeAll(async () => {
  database = await EmbeddedDatabase.open();
  projection = new TaskLogsProjection(database);
  reader = new TaskLogsReader(database, 1_000_000);
});
beforeEach(async () => {
  for (const table of ['task_logs', 'log_attempts']) await database.clickhouse.command(`TRUNCATE TABLE ${table}`);
});
afterAll(() => database.close());

const line = (seq: number, change: Partial<LogLine> = {}): LogLine => ({
  seq,
  n: seq,
  stream: 'stdout',
  t: 1_767_225_600_000.5 + seq,
  text: `line ${seq}`,
  ...change,
});
const lines = (from: number, to: number, change: Partial<LogLine> = {}) =>
  Array.from({ length: to - from + 1 }, (_, index) => line(from + index, change));
const chunk = (content: LogLine[], change: Partial<LogChunk> = {}) =>
  messageOf(subjects.logs('w1', taskId), 1, {
    taskId,
    attempt: 1,
    workerId: 'w1',
    lines: content,
    end: false,
    ...change,
  });
const read = (input: object = {}) => reader.read(readLogs.input.parse({ taskId, ...input }));
const seqs = async (input: object = {}) => (await read(input)).lines.map(({ seq }) => seq);

describe('pages', () => {
  beforeEach(() => projection.apply([chunk(lines(1, 60)), chunk(lines(61, 100))]));

  it('first, last, after and before, always ascending', async () => {
    expect(await seqs({ limit: 3 })).toEqual([1, 2, 3]);
    expect(await seqs({ limit: 3, tail: true })).toEqual([98, 99, 100]);
    expect(await seqs({ limit: 3, afterSeq: 59 })).toEqual([60, 61, 62]);
    expect(await seqs({ limit: 3, beforeSeq: 61 })).toEqual([58, 59, 60]);
    expect(await seqs({ limit: 3, afterSeq: 59, tail: true })).toEqual([60, 61, 62]);
    expect(await seqs({ afterSeq: 59, beforeSeq: 62 })).toEqual([60, 61]);
    expect(await seqs({ afterSeq: 100 })).toEqual([]);
  });

  it('lines come back whole', async () => {
    const odd = [line(101, { stream: 'stderr', text: '\u001b[31m"é"\\ \t漢', partial: true }), line(102, { text: '' })];
    await projection.apply([chunk(odd)]);
    expect((await read({ afterSeq: 100 })).lines).toEqual(odd);
  });

  it('a page goes across lines that were lost', async () => {
    await projection.apply([chunk(lines(5_001, 5_010))]);
    expect(await seqs({ afterSeq: 99, limit: 3 })).toEqual([100, 5_001, 5_002]);
    expect(await seqs({ afterSeq: 200, limit: 3 })).toEqual([5_001, 5_002, 5_003]);
    expect(await seqs({ beforeSeq: 5_002, limit: 3 })).toEqual([99, 100, 5_001]);
    expect(await seqs({ tail: true, limit: 11 })).toEqual([100, ...lines(5_001, 5_010).map(({ seq }) => seq)]);
  });

  it('redelivered chunks, also cut differently, add no line', async () => {
    await projection.apply([chunk(lines(1, 60)), chunk(lines(50, 100))]);
    await projection.apply([chunk(lines(61, 100))]);
    expect(await seqs()).toEqual(lines(1, 100).map(({ seq }) => seq));
    expect(await seqs({ tail: true, limit: 2 })).toEqual([99, 100]);
  });

  it('search ignores case; the stream filter works with it', async () => {
    await projection.apply([
      chunk([line(101, { text: 'Über ERROR one', stream: 'stderr' }), line(102, { text: 'error two' })]),
    ]);
    expect(await seqs({ search: 'error' })).toEqual([101, 102]);
    expect(await seqs({ search: 'über' })).toEqual([101]);
    expect(await seqs({ search: 'error', stream: 'stdout' })).toEqual([102]);
    expect(await seqs({ search: '%' })).toEqual([]);
  });
});

describe('attempts', () => {
  it('default to the newest that has lines; the end mark completes only its own', async () => {
    expect(await read()).toEqual({ attempt: null, lines: [], lastSeq: 0, complete: false });
    await projection.apply([chunk(lines(1, 2)), chunk([], { end: true }), chunk(lines(1, 3), { attempt: 2 })]);
    expect(await read()).toMatchObject({ attempt: 2, lastSeq: 3, complete: false });
    await projection.apply([chunk([], { attempt: 3 })]);
    expect(await read()).toMatchObject({ attempt: 2 });
    expect(await read({ attempt: 1 })).toMatchObject({ attempt: 1, lastSeq: 2, complete: true });
    expect(await read({ attempt: 9 })).toEqual({ attempt: 9, lines: [], lastSeq: 0, complete: false });
  });

  it('an end mark that comes before late lines stays, and lastSeq only grows', async () => {
    await projection.apply([chunk(lines(5, 9), { end: true })]);
    await projection.apply([chunk(lines(1, 4))]);
    expect(await read()).toMatchObject({ lastSeq: 9, complete: true });
  });

  it('an attempt without any output is complete once the agent says so', async () => {
    await projection.apply([chunk([], { end: true })]);
    expect(await read()).toEqual({ attempt: 1, lines: [], lastSeq: 0, complete: true });
  });
});

describe('reply size', () => {
  it('a page of long lines ends early on the right side, and paging on finds every line', async () => {
    const small = new TaskLogsReader(database, 20_000);
    // Escapes make JSON six times as long as the text.
    await projection.apply([chunk(lines(1, 30, { text: '\u0001'.repeat(500) }))]);
    const ask = (input: object) => small.read(readLogs.input.parse({ taskId, ...input }));
    const tail = await ask({ tail: true });
    expect(tail.lines.at(-1)?.seq).toBe(30);
    expect(tail.lines.length).toBeLessThan(10);
    const all: number[] = [];
    for (let afterSeq = 0; afterSeq < 30; afterSeq = all.at(-1) ?? 30) {
      const page = await ask({ afterSeq });
      expect(JSON.stringify(page).length).toBeLessThan(21_000);
      all.push(...page.lines.map(({ seq }) => seq));
    }
    expect(all).toEqual(lines(1, 30).map(({ seq }) => seq));
  });

  it('one line that is too long for the budget still comes', async () => {
    const tiny = new TaskLogsReader(database, 100);
    await projection.apply([chunk(lines(1, 2, { text: 'x'.repeat(5_000) }))]);
    expect((await tiny.read(readLogs.input.parse({ taskId }))).lines).toHaveLength(1);
  });
});
