import type { UserActor } from '@gantry/contracts/messaging/actor';
import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import { subjects } from '@gantry/contracts/messaging/streams';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import { taskSpecSchema } from '@gantry/contracts/tasks/task-spec';
import { InMemoryEventStore } from '@gantry/event-sourcing/in-memory-event-store';
import type { SnapshotEntry } from '@gantry/event-sourcing/snapshot-entry';
import { pagesOf } from '@gantry/event-sourcing/testing/pages-of';
import { ManualClock } from '@gantry/kernel/clock';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TaskCommand } from '../domain/task/task.commands.js';
import type { TaskState } from '../domain/task/task.state.js';
import { TaskBoard } from '../projections/task-board/task-board.projection.js';
import { TaskCommandExecutor } from './task-command.executor.js';

const ada: UserActor = { kind: 'user', id: 'ada', name: 'Ada', role: 'user' };

class CountingStore extends InMemoryEventStore<TaskEvent> {
  loads: string[] = [];

  override load(subject: string): Promise<StoredCommit<TaskEvent>[]> {
    this.loads.push(subject);
    return super.load(subject);
  }
}

function newExecutor(store: InMemoryEventStore<TaskEvent>, endedKept = 2): TaskCommandExecutor {
  return new TaskCommandExecutor(store, new TaskBoard({ endedKept }), new ManualClock());
}

const act = fc.record({
  kind: fc.constantFrom(
    'submit',
    'submit',
    'assign',
    'start',
    'succeed',
    'cancel',
    'lose',
    'fail',
    'withdraw',
    'delete',
  ),
  pick: fc.nat(20),
  priority: fc.integer({ min: 0, max: 2 }),
  /** Seen by the process through the stream instead of being its own command. */
  other: fc.boolean(),
});
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

/** A process at work beside another one on the same stream. */
class Life {
  readonly store = new CountingStore();
  readonly executor: TaskCommandExecutor;
  private readonly elsewhere = newExecutor(this.store);
  private readonly ids: string[] = [];
  private delivered = 0;
  private count = 0;

  constructor(endedKept?: number) {
    this.executor = newExecutor(this.store, endedKept);
  }

  get position(): number {
    return this.delivered;
  }

  async take({ kind, pick, priority, other }: Act): Promise<void> {
    this.count += 1;
    if (kind === 'submit') this.ids.push(`task-${this.count}`);
    const id = kind === 'submit' ? `task-${this.count}` : this.ids[pick % Math.max(1, this.ids.length)];
    if (id === undefined) return;
    const by = other ? this.elsewhere : this.executor;
    const command = this.commandFor(kind, priority, await by.state(id));
    if (command === undefined) return;
    const origin = { commandId: `c${this.count}`, actor: ada, correlationId: 'c', causationId: 'c' };
    // A refusal is part of the game.
    await by.execute(id, command, origin).catch(() => undefined);
  }

  /** What the reader of the stream would do now. */
  deliver(): void {
    for (const stored of this.store.all.slice(this.delivered)) {
      if (!this.executor.isEcho(stored.streamSequence)) this.executor.absorb(stored);
      this.delivered = stored.streamSequence;
    }
  }

  private commandFor(kind: string, priority: number, state: TaskState): TaskCommand | undefined {
    const at = this.count;
    if (kind === 'submit') {
      const spec = taskSpecSchema.parse({ name: `n${at}`, image: 'busybox', retries: 2, priority });
      return { type: 'SubmitTask', ownerId: ['ada', 'bob'][at % 2] ?? '', ownerName: 'x', spec, at };
    }
    if (state.status === 'absent' || state.status === 'deleted') return undefined;
    const { attempt } = state;
    const report = (report: Extract<TaskCommand, { type: 'RecordReport' }>['report']): TaskCommand => ({
      type: 'RecordReport',
      workerId: 'w',
      attempt,
      at,
      now: at,
      jitter: 0,
      report,
    });
    const exited = { type: 'exited' as const, outcome: 'exited' as const, message: '', finishedAt: at };
    switch (kind) {
      case 'assign':
        return {
          type: 'RecordAssignment',
          attempt,
          workerId: 'w',
          workerName: 'w',
          leaseMs: 1,
          gpuIds: [],
          assignedAt: at,
        };
      case 'start':
        return report({ type: 'started', startedAt: at, containerId: 'c' });
      case 'succeed':
        return report({ ...exited, exitCode: 0 });
      case 'fail':
        return report({ ...exited, exitCode: 1 });
      case 'lose':
        return { type: 'RecordAttemptLost', attempt, workerId: 'w', message: 'lost', now: at, jitter: 0 };
      case 'cancel':
        return { type: 'RequestCancel', requestedBy: 'Ada', graceMs: 1, at };
      case 'withdraw':
        return { type: 'RecordWithdrawal', attempt, now: at };
      default:
        return { type: 'DeleteTask', deletedBy: 'Ada', at };
    }
  }
}

async function picture(executor: TaskCommandExecutor, ids: readonly string[]) {
  const { board } = executor;
  const views = ids.map((id) => board.get(id));
  return {
    views,
    positions: views.map((view) => (view === undefined ? null : board.queuePosition(view))),
    counts: [null, 'ada', 'bob'].map((owner) => board.countByStatus(owner)),
    lists: [null, 'ada', 'bob'].map((visibleTo) =>
      board
        .list({ visibleTo, filter: {}, sort: 'created', descending: true, limit: 100, now: 1 })
        .map(({ id, version }) => `${id}@${version}`),
    ),
    states: await Promise.all(ids.map((id) => executor.state(id))),
  };
}

const idsIn = (store: InMemoryEventStore<TaskEvent>): string[] => [
  ...new Set(store.all.map(({ commit }) => commit.aggregateId)),
];

describe('the snapshot of the task board', () => {
  it('and the tail give what the whole stream gives, wherever and however slowly it is taken', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(act, { maxLength: 50, size: 'max' }),
        fc.nat(50),
        fc.nat(3),
        fc.boolean(),
        async (acts, cut, pace, behind) => {
          // The tail shows an ended task again that the board has let go ahead of it: without eviction both are equal.
          const kept = behind ? 100 : 2;
          const life = new Life(kept);
          for (const one of acts.slice(0, cut)) {
            await life.take(one);
            if (!behind) life.deliver();
          }
          const { position } = life;
          const stored: SnapshotEntry[] = [];
          let next = cut;
          for (const entry of life.executor.snapshot()) {
            stored.push(entry);
            for (const one of acts.slice(next, next + pace)) await life.take(one);
            next += pace;
            life.deliver();
          }
          for (const one of acts.slice(next)) await life.take(one);
          life.deliver();

          const replayed = newExecutor(life.store, kept);
          for (const one of life.store.all) replayed.absorb(one);
          const restored = newExecutor(life.store, kept);
          for (const page of pagesOf(stored)) restored.restore(page);
          for (const one of life.store.all.slice(position)) restored.absorb(one);
          const ids = idsIn(life.store);
          expect(await picture(restored, ids)).toEqual(await picture(replayed, ids));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('brings the aggregates of what is open, so that their next commands read nothing from the stream', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 30, size: 'max' }), async (acts) => {
        const life = new Life();
        for (const one of acts) {
          await life.take(one);
          life.deliver();
        }
        const restored = newExecutor(life.store);
        for (const page of pagesOf(life.executor.snapshot())) restored.restore(page);
        const open = idsIn(life.store).filter((id) => restored.board.get(id) !== undefined);
        for (const id of open) {
          const stored = await life.store.load(subjects.task(id));
          expect(restored.board.get(id)?.version).toBe(stored.length);
        }
        life.store.loads = [];
        for (const id of open) {
          const command = { type: 'RequestCancel' as const, requestedBy: 'Ada', graceMs: 1, at: 1 };
          const origin = { commandId: `last-${id}`, actor: ada, correlationId: 'c', causationId: 'c' };
          await restored.execute(id, command, origin).catch(() => undefined);
        }
        expect(life.store.loads).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});
