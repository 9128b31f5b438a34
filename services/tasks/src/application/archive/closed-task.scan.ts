import type { Commit } from '@gantry/contracts/messaging/commit';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import type { Logger } from '@gantry/nest-platform/logger';
import { OpenCommits, type SeenCommit } from './open-commits.js';
import { SegmentDraft } from './segment-draft.js';
import type { StreamedCommit, TaskArchive, TaskStream } from './task-archive.port.js';

export interface ScanLimits {
  readonly now: number;
  /** The newest message always stays: an empty stream would have to remember its numbering by itself. */
  readonly beforeSequence: number;
  /** What was stored later stays, epoch milliseconds ... */
  readonly storedBefore: number;
  /** ... except for so many tasks. */
  readonly regardlessOfAge: number;
}

const OPEN_BYTES = 32 * 1024 * 1024;
/** A step ends after so many messages, however few of them may leave. */
const MESSAGES_A_STEP = 10_000;
const ends: ReadonlySet<TaskEvent['type']> = new Set([
  'TaskSucceeded',
  'TaskFailed',
  'TaskCancelled',
  'TaskTimedOut',
  'TaskDeleted',
]);

/**
 * Walks through TASKS behind its readers and gathers the tasks that have ended, in the order of their ends. Of a task that goes on
 * nothing has to be remembered: when its end comes by, its history is read.
 */
export class ClosedTaskScan {
  /** Everything up to here was looked at. */
  position = 0;
  private readonly open = new OpenCommits(OPEN_BYTES);
  /** When the next message was stored, if it was too young when it was looked at. */
  private waitsFor = Number.NEGATIVE_INFINITY;
  /** What was gathered so far. */
  draft = new SegmentDraft();

  constructor(
    private readonly stream: TaskStream,
    private readonly archive: TaskArchive,
    private readonly logger: Logger,
    /** Of such a task the readers have not taken in what follows its unreadable message: it must not leave. */
    private readonly isHeldAside: (taskId: string) => boolean = () => false,
  ) {}

  /** From the start of the stream again, for whoever takes the work over. */
  restart(): void {
    this.position = 0;
    this.open.clear();
    this.waitsFor = Number.NEGATIVE_INFINITY;
    this.draft = new SegmentDraft();
  }

  /** What was gathered is taken care of. */
  nextDraft(): void {
    this.draft = new SegmentDraft();
  }

  /** Gathers on; false if it came to what may not leave yet. */
  async goOn(limits: ScanLimits): Promise<boolean> {
    const { draft } = this;
    const isInReach = (storedAt: number): boolean =>
      storedAt <= limits.storedBefore || draft.tasks < limits.regardlessOfAge;
    // A reader asks for more messages than it is going to look at: not before there is one.
    if (!isInReach(this.waitsFor)) return false;
    let messages = 0;
    await this.stream.read(this.position + 1, limits.beforeSequence - 1, async (message) => {
      if (!isInReach(message.storedAt)) {
        this.waitsFor = message.storedAt;
        return false;
      }
      await this.see(message, draft, limits);
      this.position = message.sequence;
      messages += 1;
      return messages < MESSAGES_A_STEP && !draft.isFull;
    });
    return messages >= MESSAGES_A_STEP || draft.isFull;
  }

  private async see({ sequence, bytes }: StreamedCommit, draft: SegmentDraft, limits: ScanLimits): Promise<void> {
    const commit = commitIn(bytes);
    if (commit === undefined) {
      this.logger.warn({ sequence }, 'message is not a commit; it is not archived');
      return;
    }
    const { aggregateId: taskId, version, events } = commit;
    if (this.isHeldAside(taskId)) return;
    const seen = { sequence, version, bytes };
    if (draft.has(taskId)) {
      draft.add(taskId, [seen], limits.now);
      return;
    }
    const archived = this.archive.mayHold(taskId) ? await this.archive.commitsOf(taskId) : [];
    if (archived.some(({ streamSequence }) => streamSequence === sequence)) {
      draft.leave(taskId, sequence);
      return;
    }
    const commits = [...this.open.take(taskId), seen];
    // A task that is archived has ended: what comes after it (a late report, its deletion) follows it at its own age.
    if (archived.length === 0 && !events.some(({ type }) => ends.has(type))) {
      this.open.add(taskId, commits);
      return;
    }
    const newest = archived.at(-1)?.commit.version ?? 0;
    const whole = follows(newest, commits) ? commits : await this.readAgain(taskId, newest, limits.beforeSequence);
    if (whole !== undefined) draft.add(taskId, whole, limits.now);
  }

  /** Some of it went by too long ago. Undefined if its beginning is nowhere: such a task stays where it is. */
  private async readAgain(taskId: string, newest: number, before: number): Promise<SeenCommit[] | undefined> {
    const history = await this.stream.historyOf(taskId);
    const commits = history
      // What is not a commit was discarded, and stays.
      .map(({ sequence, bytes }) => ({ sequence, version: commitIn(bytes)?.version ?? Number.NaN, bytes }))
      .filter(({ sequence, version }) => sequence < before && version > newest);
    if (follows(newest, commits)) return commits;
    this.logger.error({ taskId, archivedVersion: newest }, 'the beginning of this task is in no store; not archived');
    return undefined;
  }
}

/** Undefined if it is not one: that is for the readers' dead letters, and must not stop the archiving. */
function commitIn(bytes: Uint8Array): Pick<Commit<TaskEvent>, 'aggregateId' | 'version' | 'events'> | undefined {
  try {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
    const commit = JSON.parse(text) as Commit<TaskEvent> | null;
    return typeof commit?.aggregateId === 'string' && Array.isArray(commit.events) ? commit : undefined;
  } catch {
    return undefined;
  }
}

function follows(newest: number, commits: readonly SeenCommit[]): boolean {
  return commits.length > 0 && commits.every(({ version }, index) => version === newest + 1 + index);
}
