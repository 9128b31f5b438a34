import type { Commit, DomainEvent, StoredCommit } from '@gantry/contracts/messaging/commit';
import { GantryError } from '@gantry/kernel/gantry-error';

export interface AppendResult {
  streamSequence: number;
  /** True if the store had this commit id already (inside its duplicate window): nothing was written again. */
  duplicate: boolean;
}

/** One stream. One subject per aggregate. */
export interface EventStore<Event extends DomainEvent = DomainEvent> {
  /**
   * All commits of one aggregate, oldest first; empty if there are none. Throws `UnreadableHistory` if one of them cannot
   * be read; what an administrator discarded has no events.
   */
  load(subject: string): Promise<StoredCommit<Event>[]>;
  /** Stream sequence of the aggregate's newest commit, 0 = none; much cheaper than loading it. */
  newestSequence(subject: string): Promise<number>;
  /**
   * Stores one commit atomically if the newest stream sequence on `subject` is `expectedSequence` (0 = no message yet).
   * Throws `ConcurrencyError` if another writer was first; throws a retryable `unavailable` error if the outcome is
   * unknown, in which case the same append with the same commit id may simply be repeated.
   */
  append(subject: string, commit: Commit<Event>, expectedSequence: number): Promise<AppendResult>;
  /**
   * Feeds every commit from `fromSequence` on (1 = start) in stream order, then stays live until `signal` aborts; survives a
   * restart of the broker. `onCaughtUp` runs once, when everything that was stored at the call has been applied.
   */
  follow(options: FollowOptions<Event>): Promise<void>;
}

export interface FollowOptions<Event extends DomainEvent> {
  fromSequence: number;
  /** Subject filter, e.g. `tasks.>`; default: the whole stream. */
  filter?: string;
  /** Called one at a time; a promise is awaited before the next. `late`: was held aside, and later commits of others came first. */
  onCommit(stored: StoredCommit<Event>, late: boolean): void | Promise<void>;
  /** Everything up to this sequence was handed over, or is held aside because it cannot be read. */
  onPassed?(streamSequence: number): void;
  onCaughtUp?(): void;
  signal: AbortSignal;
}

/** Somebody else appended first: load again and decide again. */
export class ConcurrencyError extends GantryError {
  constructor(subject: string, expected: number) {
    super('STORE.CONCURRENT_APPEND', 'conflict', `Somebody changed ${subject} at the same time. Try again.`, {
      retryable: true,
    });
    this.expected = expected;
  }

  readonly expected: number;
}

/** One message of the aggregate is no commit, or does not fit the fold. Only this aggregate is concerned. */
export class UnreadableHistory extends GantryError {
  constructor(subject: string, cause: unknown) {
    super(
      'STORE.UNREADABLE_HISTORY',
      'conflict',
      `The history of this ${kindOf(subject)} holds a message that cannot be read; an admin finds it among the dead letters.`,
      { cause },
    );
  }
}

/** `tasks.7.<id>` is a task, `auth.session.<id>` a session. */
function kindOf(subject: string): string {
  const [context = '', kind = ''] = subject.split('.');
  return context === 'auth' ? kind : context.replace(/s$/, '');
}
