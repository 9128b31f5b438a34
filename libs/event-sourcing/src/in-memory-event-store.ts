import type { Commit, DomainEvent, StoredCommit } from '@gantry/contracts/messaging/commit';
import { GantryError } from '@gantry/kernel/gantry-error';
import { type AppendResult, ConcurrencyError, type EventStore, type FollowOptions } from './event-store.port.js';

/** The store port in memory, with the same promises as the real one; for unit tests and simulations. */
export class InMemoryEventStore<Event extends DomainEvent = DomainEvent> implements EventStore<Event> {
  private readonly commits: StoredCommit<Event>[] = [];
  private readonly bySubject = new Map<string, StoredCommit<Event>[]>();
  private readonly byId = new Map<string, StoredCommit<Event>>();
  private readonly wakers = new Set<() => void>();

  /** Everything stored, in stream order. */
  get all(): readonly StoredCommit<Event>[] {
    return this.commits;
  }

  load(subject: string): Promise<StoredCommit<Event>[]> {
    return Promise.resolve([...(this.bySubject.get(subject) ?? [])]);
  }

  newestSequence(subject: string): Promise<number> {
    return Promise.resolve(this.bySubject.get(subject)?.at(-1)?.streamSequence ?? 0);
  }

  async append(subject: string, commit: Commit<Event>, expectedSequence: number): Promise<AppendResult> {
    // Like a round trip: two appends started together are both decided on what each of them saw.
    await Promise.resolve();
    const known = this.byId.get(commit.id);
    if (known !== undefined) {
      if (known.subject !== subject) {
        throw new GantryError(
          'STORE.COMMIT_ID_REUSED',
          'internal',
          `Commit id ${commit.id} belongs to another aggregate. Use one id per commit.`,
        );
      }
      return { streamSequence: known.streamSequence, duplicate: true };
    }
    const present = this.bySubject.get(subject) ?? [];
    if ((present.at(-1)?.streamSequence ?? 0) !== expectedSequence)
      throw new ConcurrencyError(subject, expectedSequence);
    // What was stored must not change when the caller goes on to use its objects, and holds only what JSON can hold.
    const stored: StoredCommit<Event> = {
      commit: JSON.parse(JSON.stringify(commit)) as Commit<Event>,
      streamSequence: this.commits.length + 1,
      subject,
    };
    this.commits.push(stored);
    this.byId.set(commit.id, stored);
    this.bySubject.set(subject, [...present, stored]);
    for (const wake of this.wakers) wake();
    return { streamSequence: stored.streamSequence, duplicate: false };
  }

  async follow(options: FollowOptions<Event>): Promise<void> {
    const { fromSequence, filter, signal } = options;
    const matches = subjectMatcher(filter ?? '>');
    const end = this.commits.length;
    let next = Math.max(1, fromSequence);
    let caughtUp = false;
    while (!signal.aborted) {
      const stored = this.commits[next - 1];
      if (!caughtUp && next > end) {
        caughtUp = true;
        options.onCaughtUp?.();
      }
      if (stored === undefined) {
        await this.nextAppend(signal);
        continue;
      }
      next += 1;
      if (matches(stored.subject)) await options.onCommit(stored, false);
      options.onPassed?.(stored.streamSequence);
    }
  }

  private nextAppend(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.wakers.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.wakers.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}

/** NATS subject filters: `*` is one token, `>` the rest. */
function subjectMatcher(filter: string): (subject: string) => boolean {
  const pattern = filter
    .split('.')
    .map((token) => (token === '*' ? '[^.]+' : token === '>' ? '.+' : token.replace(/[$^\\[\](){}|+?]/g, '\\$&')))
    .join('\\.');
  const expression = new RegExp(`^${pattern}$`);
  return (subject) => expression.test(subject);
}
