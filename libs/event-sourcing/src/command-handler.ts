import type { Actor } from '@gantry/contracts/messaging/actor';
import type { Commit, DomainEvent, StoredCommit } from '@gantry/contracts/messaging/commit';
import type { Clock } from '@gantry/kernel/clock';
import { GenerationalMap } from '@gantry/kernel/generational-map';
import { TransientMap } from '@gantry/kernel/transient-map';
import type { Decider } from './decider.js';
import { ConcurrencyError, type EventStore, UnreadableHistory } from './event-store.port.js';

/** Where a command comes from; becomes part of the commit. */
export interface CommandOrigin {
  /** Command id = commit id = `Nats-Msg-Id`. The same id twice appends once. */
  commandId: string;
  actor: Actor;
  correlationId: string;
  /** Id of what caused it: a request, a report, a commit of another stream. */
  causationId: string;
  traceparent?: string;
}

export interface Loaded<State> {
  state: State;
  /** Commits applied; 0 = the aggregate does not exist. */
  version: number;
  /** Stream sequence of the newest commit; 0 = none. */
  lastSequence: number;
}

interface Fetched<State> extends Loaded<State> {
  /** Remembered, not read: another process may have gone on. */
  cached: boolean;
}

export interface HandleResult<State, Event extends DomainEvent> extends Loaded<State> {
  /** What was stored; undefined when the decision was "nothing to do". */
  stored: StoredCommit<Event> | undefined;
}

export interface CommandHandlerOptions<State, Command, Event extends DomainEvent> {
  streamName: string;
  schemaVersion: number;
  decider: Decider<State, Command, Event>;
  store: EventStore<Event>;
  clock: Clock;
  subjectOf: (aggregateId: string) => string;
  /**
   * Asked before the store for an aggregate that is not cached: what the caller can tell from what it keeps anyway. It may be
   * outdated (the fence notices), never wrong.
   */
  recall?: (aggregateId: string) => Loaded<State> | undefined;
  /** Aggregates kept in memory at least (the ones used last); at most twice as many. */
  cacheSize?: number;
  /** How often a lost race is tried again from fresh state. */
  maxRetries?: number;
}

/**
 * Load, decide, append: the only way a command becomes history. Commands of one aggregate run one after the other in this
 * process; between processes the store's fence decides, and the loser decides again from fresh state. A decision that appends
 * nothing meets no fence, so "no" and "nothing to do" from a cached state are given only while it is the newest one.
 */
export class CommandHandler<State, Command, Event extends DomainEvent> {
  private readonly cache: GenerationalMap<string, Loaded<State>>;
  /** The end of the newest command of each aggregate; never rejects. */
  private readonly tails = new TransientMap<string, Promise<void>>();
  private readonly maxRetries: number;

  constructor(private readonly options: CommandHandlerOptions<State, Command, Event>) {
    this.cache = new GenerationalMap(options.cacheSize ?? 10_000);
    this.maxRetries = options.maxRetries ?? 5;
  }

  handle(
    aggregateId: string,
    command: Command | ((state: State) => Command),
    origin: CommandOrigin,
  ): Promise<HandleResult<State, Event>> {
    return this.serialise(aggregateId, () => this.attempt(aggregateId, command, origin));
  }

  /** State from the cache or the store, not older than the call. */
  load(aggregateId: string): Promise<Loaded<State>> {
    return this.serialise(aggregateId, async () => {
      const loaded = await this.fetch(aggregateId);
      return plain((await this.isOutdated(aggregateId, loaded)) ? await this.fetchStored(aggregateId) : loaded);
    });
  }

  /** Takes in a commit that a reader of the stream saw (another replica's, or a replay at start-up). */
  absorb(stored: StoredCommit<Event>): void {
    const { commit, streamSequence } = stored;
    const known = this.cache.get(commit.aggregateId);
    const version = known?.version ?? 0;
    if (commit.version <= version) return;
    if (commit.version !== version + 1) {
      this.cache.delete(commit.aggregateId);
      return;
    }
    this.cache.set(commit.aggregateId, this.advance(known, commit, streamSequence));
  }

  /** The next command reads the aggregate from the store again. */
  forget(aggregateId: string): void {
    this.cache.delete(aggregateId);
  }

  /** What is cached, if anything; for a snapshot. */
  peek(aggregateId: string): Loaded<State> | undefined {
    return this.cache.peek(aggregateId);
  }

  /** Puts back what `peek` gave an earlier process. */
  restore(aggregateId: string, loaded: Loaded<State>): void {
    const known = this.cache.peek(aggregateId);
    if (known === undefined || known.version < loaded.version) this.cache.set(aggregateId, loaded);
  }

  private async attempt(
    aggregateId: string,
    command: Command | ((state: State) => Command),
    origin: CommandOrigin,
  ): Promise<HandleResult<State, Event>> {
    const { decider, store, clock, streamName, schemaVersion, subjectOf } = this.options;
    for (let retry = 0; ; retry += 1) {
      // After a lost race, or on an outdated state, only the store knows better.
      const loaded = retry === 0 ? await this.fetch(aggregateId) : await this.fetchStored(aggregateId);
      const resolved = typeof command === 'function' ? (command as (state: State) => Command)(loaded.state) : command;
      let events: readonly Event[];
      try {
        events = decider.decide(resolved, loaded.state);
      } catch (refusal) {
        if (await this.isOutdated(aggregateId, loaded)) continue;
        throw refusal;
      }
      if (events.length === 0) {
        if (await this.isOutdated(aggregateId, loaded)) continue;
        return { ...plain(loaded), stored: undefined };
      }
      const commit: Commit<Event> = {
        id: origin.commandId,
        stream: streamName,
        aggregateId,
        version: loaded.version + 1,
        schemaVersion,
        occurredAt: clock.now(),
        actor: origin.actor,
        correlationId: origin.correlationId,
        causationId: origin.causationId,
        ...(origin.traceparent === undefined ? {} : { traceparent: origin.traceparent }),
        events,
      };
      const subject = subjectOf(aggregateId);
      try {
        const { streamSequence, duplicate } = await store.append(subject, commit, loaded.lastSequence);
        if (duplicate) {
          // What the store kept under this id may differ from what was decided just now: only the stored one is true.
          this.cache.delete(aggregateId);
          return { ...plain(await this.fetchStored(aggregateId)), stored: undefined };
        }
        const next = this.advance(loaded, commit, streamSequence);
        this.cache.set(aggregateId, next);
        return { ...next, stored: { commit, streamSequence, subject } };
      } catch (error) {
        this.cache.delete(aggregateId);
        if (!(error instanceof ConcurrencyError) || retry >= this.maxRetries) throw error;
      }
    }
  }

  /** Whether another process went on from this state; then it is no longer cached. */
  private async isOutdated(aggregateId: string, { cached, lastSequence }: Fetched<State>): Promise<boolean> {
    if (!cached) return false;
    const newest = await this.options.store.newestSequence(this.options.subjectOf(aggregateId));
    if (newest === lastSequence) return false;
    this.cache.delete(aggregateId);
    return true;
  }

  private async fetch(aggregateId: string): Promise<Fetched<State>> {
    const cached = this.cache.get(aggregateId);
    if (cached !== undefined) return { ...cached, cached: true };
    const recalled = this.options.recall?.(aggregateId);
    if (recalled === undefined) return await this.fetchStored(aggregateId);
    this.cache.set(aggregateId, recalled);
    return { ...recalled, cached: true };
  }

  private async fetchStored(aggregateId: string): Promise<Fetched<State>> {
    const subject = this.options.subjectOf(aggregateId);
    const commits = await this.options.store.load(subject);
    let loaded: Loaded<State> = { state: this.options.decider.initialState, version: 0, lastSequence: 0 };
    try {
      for (const stored of commits) loaded = this.advance(loaded, stored.commit, stored.streamSequence);
    } catch (cause) {
      throw new UnreadableHistory(subject, cause);
    }
    if (loaded.version > 0) this.cache.set(aggregateId, loaded);
    return { ...loaded, cached: false };
  }

  private advance(from: Loaded<State> | undefined, commit: Commit<Event>, streamSequence: number): Loaded<State> {
    const { decider } = this.options;
    let state = from?.state ?? decider.initialState;
    for (const event of commit.events) state = decider.evolve(state, event);
    return { state, version: commit.version, lastSequence: streamSequence };
  }

  private serialise<T>(aggregateId: string, work: () => Promise<T>): Promise<T> {
    const previous = this.tails.get(aggregateId);
    const run = previous === undefined ? work() : previous.then(work);
    const finish = (): void => {
      if (this.tails.get(aggregateId) === settled) this.tails.delete(aggregateId);
    };
    const settled: Promise<void> = run.then(finish, finish);
    this.tails.set(aggregateId, settled);
    return run;
  }
}

function plain<State>({ state, version, lastSequence }: Fetched<State>): Loaded<State> {
  return { state, version, lastSequence };
}
