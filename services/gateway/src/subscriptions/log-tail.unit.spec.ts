import { describe, expect, it, vi } from 'vitest';
import type { LogChunk, LogLine } from '@gantry/contracts/agents/log-chunk';
import { taskSpecSchema } from '@gantry/contracts/tasks/task-spec';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { foldTaskCommit } from '@gantry/contracts/tasks/task-view.fold';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import { GantryError } from '@gantry/kernel/gantry-error';
import { tailLogs, type LogTailPorts } from './log-tail.js';
import type { FollowRequest } from './stream-reader.port.js';

const ID = '00000000-0000-7000-8000-000000000001';
const lines = (...seqs: number[]): LogLine[] =>
  seqs.map((seq) => ({ seq, n: seq, stream: 'stdout', t: seq, text: `${seq}` }));
const chunk = (attempt: number, seqs: number[], end = false): LogChunk => ({
  taskId: ID,
  attempt,
  workerId: 'w',
  lines: lines(...seqs),
  end,
});

/** A stream, an archive and a task, all under the test's control. */
class Scene {
  task: TaskView;
  private version = 0;
  private request: FollowRequest | undefined;
  private onChange: ((task: TaskView) => void) | undefined;
  readonly asked: [number, number][] = [];
  archive = new Map<number, { lines: LogLine[]; complete: boolean }>();
  archiveDown = false;

  constructor(private readonly stored: LogChunk[] = []) {
    const spec = taskSpecSchema.parse({ name: 'x', image: 'busybox' });
    this.task = this.fold(undefined, {
      type: 'TaskSubmitted',
      data: { ownerId: 'u', ownerName: 'u', spec, submittedAt: 1 },
    });
    this.happen({
      type: 'TaskAssigned',
      data: { attempt: 1, workerId: 'w', workerName: 'w', leaseMs: 1, gpuIds: [], assignedAt: 1 },
    });
    this.happen({ type: 'TaskStarted', data: { attempt: 1, startedAt: 1, containerId: 'c' } });
  }

  private fold(view: TaskView | undefined, event: TaskEvent): TaskView {
    this.version += 1;
    const commit = {
      id: `${this.version}`,
      stream: 'TASKS',
      aggregateId: ID,
      version: this.version,
      schemaVersion: 1,
      occurredAt: 1,
      actor: { kind: 'anonymous' as const },
      correlationId: '',
      causationId: '',
      events: [event],
    };
    const next = foldTaskCommit(view, { commit });
    if (next === undefined) throw new Error('no view');
    return next;
  }

  happen(event: TaskEvent): void {
    this.task = this.fold(this.task, event);
    this.onChange?.(this.task);
  }

  async publish(message: LogChunk): Promise<void> {
    await this.request?.onMessage({ subject: 's', streamSequence: 1, json: () => message });
  }

  readonly ports: LogTailPorts = {
    reader: {
      follow: async (request) => {
        this.request = request;
        for (const message of this.stored) await this.publish(message);
        request.onCaughtUp?.();
        await new Promise<void>((resolve) => request.signal.addEventListener('abort', () => resolve(), { once: true }));
      },
    },
    history: async (_id, attempt, afterSeq, limit) => {
      this.asked.push([attempt, afterSeq]);
      if (this.archiveDown) throw new GantryError('SERVICE.UNAVAILABLE', 'unavailable', 'down');
      const { lines: all, complete } = this.archive.get(attempt) ?? { lines: [], complete: false };
      return {
        attempt,
        lines: all.filter(({ seq }) => seq > afterSeq).slice(0, limit),
        lastSeq: all.at(-1)?.seq ?? 0,
        complete,
      };
    },
    watch: (_id, onChange) => {
      this.onChange = onChange;
      return () => undefined;
    },
  };

  tail(options: { attempt?: number; afterSeq?: number; follow?: boolean } = {}) {
    const signal = new AbortController().signal;
    return tailLogs(
      this.ports,
      { task: this.task, attempt: options.attempt, afterSeq: options.afterSeq ?? 0, follow: options.follow ?? true },
      signal,
    );
  }
}

const succeeded: TaskEvent = { type: 'TaskSucceeded', data: { attempt: 1, exitCode: 0, finishedAt: 2 } };

async function all(source: ReturnType<Scene['tail']>) {
  const batches = [];
  for await (const batch of source) batches.push(batch);
  return {
    seqs: batches.flatMap(({ attempt, lines: some }) => some.map(({ seq }) => `${attempt}:${seq}`)),
    last: batches.at(-1),
  };
}

describe('tailLogs', () => {
  it('drops repeats and ends with the last chunk of a finished task', async () => {
    const scene = new Scene([chunk(1, [1, 2, 3]), chunk(1, [2, 3]), chunk(1, [3, 4]), chunk(1, [5], true)]);
    scene.happen(succeeded);
    const { seqs, last } = await all(scene.tail());
    expect(seqs).toEqual(['1:1', '1:2', '1:3', '1:4', '1:5']);
    expect(last?.complete).toBe(true);
    expect(scene.asked).toEqual([]);
  });

  it('fills what the stream no longer has from the archive', async () => {
    const scene = new Scene([chunk(1, [6, 7], true)]);
    scene.archive.set(1, { lines: lines(1, 2, 3, 4, 5, 6), complete: false });
    scene.happen(succeeded);
    expect((await all(scene.tail({ afterSeq: 2 }))).seqs).toEqual(['1:3', '1:4', '1:5', '1:6', '1:7']);
    expect(scene.asked[0]).toEqual([1, 2]);
  });

  it('reads a long finished task from the archive alone', async () => {
    const scene = new Scene();
    scene.archive.set(1, { lines: lines(1, 2), complete: true });
    scene.happen(succeeded);
    expect(await all(scene.tail())).toMatchObject({ seqs: ['1:1', '1:2'], last: { complete: true } });
  });

  it('follows into the next attempt', async () => {
    const scene = new Scene([chunk(1, [1], true)]);
    const source = scene.tail();
    expect((await source.next()).value).toMatchObject({ attempt: 1, complete: true });
    scene.happen({
      type: 'TaskRequeued',
      data: {
        endedAttempt: 1,
        nextAttempt: 2,
        failure: { class: 'user_exit', message: 'x' },
        notBefore: 2,
        at: 2,
        usedRetry: true,
      },
    });
    scene.happen({
      type: 'TaskAssigned',
      data: { attempt: 2, workerId: 'w', workerName: 'w', leaseMs: 1, gpuIds: [], assignedAt: 1 },
    });
    scene.happen({ type: 'TaskStarted', data: { attempt: 2, startedAt: 1, containerId: 'c' } });
    await scene.publish(chunk(2, [1, 2]));
    await scene.publish(chunk(1, [2]));
    await scene.publish(chunk(2, [3], true));
    scene.happen({ type: 'TaskSucceeded', data: { attempt: 2, exitCode: 0, finishedAt: 2 } });
    expect((await all(source)).seqs).toEqual(['2:1', '2:2', '2:3']);
  });

  it('waits for the rest of a flood as long as it comes, and for its end no longer than the grace', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const scene = new Scene([chunk(1, [1])]);
      const seen: number[] = [];
      let over = false;
      const reading = (async () => {
        for await (const batch of scene.tail()) seen.push(...batch.lines.map(({ seq }) => seq));
        over = true;
      })();
      await vi.advanceTimersByTimeAsync(0);
      scene.happen(succeeded);
      for (const seq of [2, 3, 4]) {
        await vi.advanceTimersByTimeAsync(3_000);
        await scene.publish(chunk(1, [seq]));
      }
      await vi.advanceTimersByTimeAsync(4_900);
      expect([seen, over]).toEqual([[1, 2, 3, 4], false]);
      await vi.advanceTimersByTimeAsync(200);
      await reading;
      expect(over).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });

  it('ends for a task that never ran', async () => {
    const scene = new Scene();
    const never = { ...scene.task, attempts: [], status: 'queued' as const };
    scene.task = never;
    scene.happen({ type: 'TaskCancelled', data: { attempt: 1, finishedAt: 2 } });
    expect(await all(scene.tail())).toEqual({ seqs: [], last: { attempt: 1, lines: [], complete: true } });
  });

  it('needs no archive for what runs, but does not pass off a hole as complete', async () => {
    const scene = new Scene([chunk(1, [1])]);
    scene.archiveDown = true;
    expect((await scene.tail().next()).value).toMatchObject({ lines: lines(1) });
    await expect(new Scene([chunk(1, [5])]).tail().next()).resolves.toMatchObject({ value: { lines: lines(5) } });
    const hole = new Scene([chunk(1, [5])]);
    hole.archiveDown = true;
    await expect(hole.tail().next()).rejects.toMatchObject({ code: 'SERVICE.UNAVAILABLE' });
  });

  it('gives a download what there is and ends', async () => {
    const scene = new Scene([chunk(1, [1, 2]), chunk(2, [1])]);
    expect((await all(scene.tail({ attempt: 1, follow: false }))).seqs).toEqual(['1:1', '1:2']);
  });
});
