import { setImmediate } from 'node:timers/promises';
import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import { subjects } from '@gantry/contracts/messaging/streams';
import { TASK_SCHEMA_VERSION, type TaskEvent } from '@gantry/contracts/tasks/task-events';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { foldTaskCommit } from '@gantry/contracts/tasks/task-view.fold';
import { CommandHandler, type CommandOrigin, type Loaded } from '@gantry/event-sourcing/command-handler';
import { type EventStore, UnreadableHistory } from '@gantry/event-sourcing/event-store.port';
import type { SnapshotPage } from '@gantry/event-sourcing/snapshot-page';
import type { SnapshotEntry } from '@gantry/event-sourcing/snapshot-entry';
import type { Clock } from '@gantry/kernel/clock';
import { GantryError } from '@gantry/kernel/gantry-error';
import { TransientSet } from '@gantry/kernel/transient-set';
import type { RecordAssignment, RecordReport, TaskCommand } from '../domain/task/task.commands.js';
import { taskDecider } from '../domain/task/task.decide.js';
import { taskErrors } from '../domain/task/task.errors.js';
import type { TaskState } from '../domain/task/task.state.js';
import type { TaskBoard } from '../projections/task-board/task-board.projection.js';
import { entryOf, restoredTask } from './task-snapshot.js';
import { AssignmentSignal } from './assignment-signal.js';
import { AssignmentsInHand } from './assignments-in-hand.js';

/** A report that overtook its assignment is held this long in the process before the stream has to deliver it again. */
const HOLD_MS = 2_000;
/** A queue of 100,000 tasks stays loaded while as many others pass by; a cold load from a long stream costs up to a second. */
const CACHED_TASKS = 200_000;

/** Some milliseconds of looking into the archive's index. */
const LOOKED_AT_ONCE = 1_000;

export interface Executed {
  /** What was stored; undefined if there was nothing to do. */
  readonly stored: StoredCommit<TaskEvent> | undefined;
  readonly state: TaskState;
  /** Commits of the task, this one included. */
  readonly version: number;
}

/**
 * The one way in for commands: runs them against the cached aggregate, shows the outcome on the board at once, and answers
 * views of tasks that the board no longer holds from the stream.
 */
export class TaskCommandExecutor {
  private readonly handler: CommandHandler<TaskState, TaskCommand, TaskEvent>;
  private readonly signal = new AssignmentSignal();
  private readonly inHand = new AssignmentsInHand((taskId) => this.signal.notify(taskId));
  /** Stream sequences of own commits that the stream has still to deliver. */
  private readonly echoes = new TransientSet<number>();
  private lastDelivered = 0;

  constructor(
    private readonly store: EventStore<TaskEvent>,
    readonly board: TaskBoard,
    clock: Clock,
    /** Where aggregates are loaded from and appended to; a store that knows which ids are new saves a read per submission. */
    appendStore: EventStore<TaskEvent> = store,
    /** Told of each own commit that the board shows before the stream has delivered it. */
    private readonly onShown: (streamSequence: number) => void = () => undefined,
  ) {
    this.handler = new CommandHandler({
      streamName: 'TASKS',
      schemaVersion: TASK_SCHEMA_VERSION,
      decider: taskDecider,
      store: appendStore,
      clock,
      subjectOf: subjects.task,
      recall: (taskId) => this.recall(taskId),
      cacheSize: CACHED_TASKS,
    });
  }

  /** The board as it is now, with the aggregates that its views alone do not tell. `restore` takes them in the same order. */
  snapshot(): Iterable<SnapshotEntry> {
    const { cold, tasks } = this.board.snapshot();
    const { handler } = this;
    return (function* () {
      yield* cold;
      for (const held of tasks)
        yield entryOf(held, held.submission === undefined ? handler.peek(held.task.id) : undefined);
    })();
  }

  restore(page: SnapshotPage): void {
    const isTaken = this.board.restoreWaiting(page);
    for (let row = 0; row < page.size; row += 1) {
      if (isTaken(row)) continue;
      const { task, submission, aggregate } = restoredTask(page, row);
      this.board.restore(task, submission);
      if (aggregate !== undefined) this.handler.restore(task.id, aggregate);
    }
  }

  async execute(taskId: string, command: TaskCommand, origin: CommandOrigin): Promise<Executed> {
    const { stored, state, version } = await this.handler.handle(taskId, command, origin);
    if (stored !== undefined) {
      const shown = this.board.absorb(stored, 'own')?.version === version;
      this.signal.notify(taskId);
      // The board waits for the echo of a deletion, so that one is read like a stranger's; and so is a commit on top of
      // another replica's that the board has not seen yet.
      if (shown && command.type !== 'DeleteTask' && stored.streamSequence > this.lastDelivered) {
        this.echoes.add(stored.streamSequence);
        this.onShown(stored.streamSequence);
      }
    }
    return { stored, state, version };
  }

  /** Like `execute`; resolves when it is recorded, which may be a moment later and together with the first report. */
  async executeAssignment(taskId: string, command: RecordAssignment, origin: CommandOrigin): Promise<void> {
    await this.inHand.hold(taskId, command, async () => void (await this.execute(taskId, command, origin)));
  }

  /** Like `execute`, but waits a little for an assignment that is still on its way from the scheduler, and records one that is in hand along. */
  executeReport(taskId: string, command: RecordReport, origin: CommandOrigin): Promise<Executed> {
    const { attempt } = command;
    return this.onceAssigned(taskId, attempt, () =>
      this.inHand.takeAlong(taskId, attempt, (assignment) => this.execute(taskId, { ...command, assignment }, origin)),
    );
  }

  /** Runs `work` once the assignment is recorded, and again while `work` says that it is not. */
  afterAssignment<T>(taskId: string, attempt: number, work: () => Promise<T>): Promise<T> {
    return this.onceAssigned(taskId, attempt, async () => {
      await this.inHand.recordNow(taskId);
      return await work();
    });
  }

  private async onceAssigned<T>(taskId: string, attempt: number, work: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + HOLD_MS;
    // A fast agent's first report usually overtakes the assignment: look before a refusal has to be made and thrown away.
    while (this.isAwaitingAssignment(taskId, attempt) && performance.now() < deadline) {
      await this.signal.wait(taskId, deadline - performance.now());
    }
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const left = deadline - performance.now();
        if (!isAssignmentNotSeen(error) || left <= 0) throw error;
        // Woken by our own commits and by those of other replicas; the short limit covers one that slips between.
        await this.signal.wait(taskId, Math.min(left, 100));
      }
    }
  }

  /** Waits until the task no longer waits for a worker, at most so long. */
  async leftQueue(taskId: string, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const left = deadline - performance.now();
      if (left <= 0 || this.board.get(taskId)?.status !== 'queued') return;
      await this.signal.wait(taskId, left);
    }
  }

  async state(taskId: string): Promise<TaskState> {
    return (await this.handler.load(taskId)).state;
  }

  /** Whether the message at this sequence is an own commit, known already: then it need not even be parsed. */
  isEcho(streamSequence: number): boolean {
    if (streamSequence > this.lastDelivered) this.lastDelivered = streamSequence;
    return this.echoes.delete(streamSequence);
  }

  /**
   * A commit that the stream delivered: replay at start, another replica's, or an echo that was faster than its confirmation. Of one
   * that does not fit a fold nothing stays.
   */
  absorb(stored: StoredCommit<TaskEvent>): void {
    try {
      this.handler.absorb(stored);
      this.board.absorb(stored, 'stream');
    } catch (error) {
      this.handler.forget(stored.commit.aggregateId);
      throw error;
    }
    this.signal.notify(stored.commit.aggregateId);
  }

  /** A message of this task is left out from now on: what a command decides on has to be read again. */
  forget(taskId: string): void {
    this.handler.forget(taskId);
  }

  /** Open tasks that `isArchived` names have ended unread: from now on the archive tells of them. Answers how many there were. */
  async forgetArchived(isArchived: (taskId: string) => boolean): Promise<number> {
    let forgotten = 0;
    let looked = 0;
    for (const taskId of this.board.openIds()) {
      if ((looked += 1) % LOOKED_AT_ONCE === 0) await setImmediate();
      if (!isArchived(taskId)) continue;
      this.handler.forget(taskId);
      this.board.forget(taskId);
      forgotten += 1;
    }
    return forgotten;
  }

  /**
   * View of at least this version, from the board or folded from the stream; undefined if there is no such task. The board
   * may be some milliseconds behind another replica: see `CurrentBoard`.
   */
  async view(taskId: string, version = 1): Promise<TaskView | undefined> {
    const held = this.board.get(taskId);
    if (held !== undefined && held.version >= version) return held;
    let view: TaskView | undefined;
    const history = await this.history(taskId);
    try {
      for (const stored of history) view = foldTaskCommit(view, stored);
    } catch (cause) {
      throw new UnreadableHistory(subjects.task(taskId), cause);
    }
    return view;
  }

  async viewAfter(taskId: string, { version }: Pick<Executed, 'version'>): Promise<TaskView> {
    const view = await this.view(taskId, version);
    if (view === undefined) throw taskErrors.notFound();
    return view;
  }

  private isAwaitingAssignment(taskId: string, attempt: number): boolean {
    const held = this.board.get(taskId);
    return held?.status === 'queued' && held.attempt === attempt && !this.inHand.has(taskId, attempt);
  }

  /**
   * A task that has only been submitted is its view: a cold load from a long stream costs milliseconds, and after a restart a whole
   * queue would pay them.
   */
  private recall(taskId: string): Loaded<TaskState> | undefined {
    const lastSequence = this.board.submissionOf(taskId);
    const view = lastSequence === undefined ? undefined : this.board.get(taskId);
    if (lastSequence === undefined || view === undefined) return undefined;
    const { ownerId, ownerName, spec, createdAt: submittedAt } = view;
    const event = { type: 'TaskSubmitted' as const, data: { ownerId, ownerName, spec, submittedAt } };
    return { state: taskDecider.evolve(taskDecider.initialState, event), version: 1, lastSequence };
  }

  history(taskId: string): Promise<StoredCommit<TaskEvent>[]> {
    return this.store.load(subjects.task(taskId));
  }
}

function isAssignmentNotSeen(error: unknown): boolean {
  return error instanceof GantryError && error.code === taskErrors.assignmentNotSeen().code;
}
