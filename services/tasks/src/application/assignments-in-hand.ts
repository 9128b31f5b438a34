import { timing } from '@gantry/contracts/messaging/timing';
import { TransientMap } from '@gantry/kernel/transient-map';
import type { RecordAssignment } from '../domain/task/task.commands.js';

/** Longer than an agent holds back the news of a start, so that an assignment and what came of it at once are one commit. */
const LINGER_MS = 2 * timing.reportLingerMs;

interface Held {
  readonly assignment: RecordAssignment;
  /** Nobody else finds it any more, and its time no longer counts. */
  leave(): void;
  /** Never rejects: whoever called `hold` is told how it went. */
  recordAlone(): Promise<void>;
  /** It was recorded with something else. */
  settle(): void;
}

/**
 * Assignments that wait a moment to be recorded, for the first report about them: the agent has them already, and nobody acts on the
 * record within milliseconds. Nothing is lost with them, because the stream they came from delivers them again.
 */
export class AssignmentsInHand {
  private readonly held = new TransientMap<string, Held>();

  /** Told of each assignment that has come; who waits for it may take it along or have it recorded at once. */
  constructor(private readonly onHeld: (taskId: string) => void) {}

  /** Resolves when it is recorded: with a report, because somebody wants it at once, or when its time is over. */
  hold(taskId: string, assignment: RecordAssignment, record: () => Promise<void>): Promise<void> {
    const before = this.held.get(taskId);
    const recorded = new Promise<void>((resolve, reject) => {
      const held: Held = {
        assignment,
        leave: () => {
          clearTimeout(timer);
          if (this.held.get(taskId) === held) this.held.delete(taskId);
        },
        recordAlone: () => {
          held.leave();
          return record().then(resolve, reject);
        },
        settle: resolve,
      };
      const timer = setTimeout(() => void held.recordAlone(), LINGER_MS);
      this.held.set(taskId, held);
    });
    void before?.recordAlone();
    this.onHeld(taskId);
    return recorded;
  }

  has(taskId: string, attempt: number): boolean {
    return this.held.get(taskId)?.assignment.attempt === attempt;
  }

  /** Resolves when what is in hand of this task was recorded, or could not be. */
  async recordNow(taskId: string): Promise<void> {
    await this.held.get(taskId)?.recordAlone();
  }

  /** `record` gets the assignment to record along, if it is in hand. If that fails, the assignment is recorded by itself. */
  async takeAlong<T>(
    taskId: string,
    attempt: number,
    record: (assignment: RecordAssignment | undefined) => Promise<T>,
  ): Promise<T> {
    const held = this.held.get(taskId);
    if (held?.assignment.attempt !== attempt) return await record(undefined);
    held.leave();
    try {
      const outcome = await record(held.assignment);
      held.settle();
      return outcome;
    } catch (error) {
      void held.recordAlone();
      throw error;
    }
  }
}
