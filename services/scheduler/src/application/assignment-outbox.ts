import type { Commit, StoredCommit } from '@gantry/contracts/messaging/commit';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import type { AssignEvent } from '@gantry/contracts/scheduling/assign-events';
import { ConcurrencyError, type EventStore } from '@gantry/event-sourcing/event-store.port';
import type { Clock } from '@gantry/kernel/clock';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { IdSource } from '@gantry/kernel/ids';
import type { Logger } from '@gantry/nest-platform/logger';

export const ASSIGN_SCHEMA_VERSION = 1;
/** Well under the broker's message limit of 1 MiB, with room for the envelope. */
const MAX_COMMIT_BYTES = 512 * 1024;
const MAX_COMMIT_EVENTS = 256;

/** A newer leader has written; or an earlier one, if the record of leaderships was lost. */
export class Deposed extends GantryError {
  constructor(
    own: number,
    readonly newer: number,
  ) {
    super(
      'SCHEDULER.DEPOSED',
      'conflict',
      `Leadership ${own} is over: leadership ${newer} has begun. The newer leader goes on.`,
    );
  }
}

export interface OutboxPorts {
  readonly store: EventStore<AssignEvent>;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  /** The events are in ASSIGN. */
  onStored(stored: StoredCommit<AssignEvent>): void;
  /** The events are certainly not in ASSIGN and will not be tried again. */
  onRefused(workerId: string, events: readonly AssignEvent[]): void;
  /** A newer leader has begun: this process decides no more. */
  onDeposed(epoch: number): void;
}

/** A leader and the number of its leadership, higher than all before it. */
export interface Term {
  readonly epoch: number;
  readonly leader: string;
}

/** Newest commit on a worker's subject that this process knows. */
export interface SubjectHead {
  readonly workerId: string;
  /** The fence of the next append. */
  readonly sequence: number;
  readonly version: number;
}

interface Channel extends SubjectHead {
  sequence: number;
  version: number;
  /** Of the newest leader that fenced this subject; 0 = none. */
  epoch: number;
  pending: AssignEvent[];
  busy: boolean;
}

/**
 * Appends to `assign.<workerId>`: one commit at a time per worker, because each is fenced by the one before it, and all
 * workers side by side. What is decided while an append is on its way shares the next commit.
 */
export class AssignmentOutbox {
  private readonly channels = new Map<string, Channel>();
  private term: Term | undefined;
  private inFlight = 0;
  private idleWaiters: (() => void)[] = [];

  constructor(private readonly ports: OutboxPorts) {}

  /** Workers whose subject holds commits. */
  knownWorkers(): string[] {
    return [...this.channels.keys()];
  }

  /** A commit that a reader of ASSIGN saw. */
  observe({ commit, streamSequence }: StoredCommit<AssignEvent>): void {
    const channel = this.channel(commit.aggregateId);
    if (streamSequence > channel.sequence) channel.sequence = streamSequence;
    if (commit.version > channel.version) channel.version = commit.version;
    for (const event of commit.events) {
      if (event.type !== 'EpochStarted') continue;
      const { epoch } = event.data;
      channel.epoch = Math.max(channel.epoch, epoch);
      // At once, before anything waits for its turn: a process that was paused has decisions of a time long past in hand.
      if (this.term !== undefined && epoch > this.term.epoch) {
        this.stop();
        this.ports.onDeposed(epoch);
      }
    }
  }

  /** Newest commit per subject, for a snapshot. */
  heads(): SubjectHead[] {
    return [...this.channels.values()].map(({ workerId, sequence, version }) => ({ workerId, sequence, version }));
  }

  /** `since`: first sequence that ASSIGN still holds. A subject whose commits have all aged out counts as new. */
  restore(heads: readonly SubjectHead[], since: number): void {
    for (const { workerId, sequence, version } of heads)
      if (sequence >= since) Object.assign(this.channel(workerId), { sequence, version });
  }

  enqueue(workerId: string, event: AssignEvent): void {
    const channel = this.channel(workerId);
    channel.pending.push(event);
    if (this.term !== undefined) this.pump(channel);
  }

  /**
   * For a worker that joins after the take-over: its subject is fenced before it matters, and not only with its first
   * assignment. `again`: also if it was fenced before.
   */
  welcome(workerId: string, again = false): void {
    const channel = this.channel(workerId);
    if (again && this.term !== undefined) channel.pending.push(fenceOf(this.term));
    this.pump(channel, true);
  }

  /** From now on appends are made, on subjects that were not fenced together with the fence. */
  start(term: Term): void {
    this.term = term;
    for (const channel of this.channels.values()) this.pump(channel);
  }

  /** No new appends; what has not been sent is refused. Those on their way come to their end. */
  stop(): void {
    this.term = undefined;
    for (const channel of this.channels.values()) this.refuse(channel, channel.pending.splice(0));
  }

  /** Resolves when nothing is on its way. */
  idle(): Promise<void> {
    if (this.inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  /**
   * Fences a subject for a new leader: once this is stored, what an earlier leader still sends is refused by the broker.
   * Lost races are repeated after taking in what the other one wrote. Throws when that was a newer leader.
   */
  async fence(workerId: string, term: Term): Promise<void> {
    const channel = this.channel(workerId);
    for (;;) {
      if (channel.epoch > term.epoch) throw new Deposed(term.epoch, channel.epoch);
      const commit = this.commitOf(channel, [fenceOf(term)]);
      try {
        await this.append(channel, commit);
        return;
      } catch (error) {
        if (!(error instanceof ConcurrencyError)) throw error;
        await this.reload(channel);
      }
    }
  }

  private pump(channel: Channel, fencing = false): void {
    const { term } = this;
    if (channel.busy || term === undefined) return;
    const unfenced = channel.epoch < term.epoch;
    if (channel.pending.length === 0 && !(fencing && unfenced)) return;
    channel.busy = true;
    this.inFlight += 1;
    const batch = takeBatch(channel.pending);
    void this.send(channel, unfenced ? [fenceOf(term), ...batch] : batch).finally(() => {
      channel.busy = false;
      this.inFlight -= 1;
      this.pump(channel);
      if (this.inFlight === 0) this.idleWaiters.splice(0).forEach((resolve) => resolve());
    });
  }

  private async send(channel: Channel, events: readonly AssignEvent[]): Promise<void> {
    const commit = this.commitOf(channel, events);
    for (;;) {
      try {
        await this.append(channel, commit);
        return;
      } catch (error) {
        if (error instanceof ConcurrencyError) {
          await this.reloadQuietly(channel);
          this.refuse(channel, events);
          return;
        }
        if (!isRetryable(error)) {
          this.ports.logger.error({ error, workerId: channel.workerId }, 'assignment refused by the broker');
          this.refuse(channel, events);
          return;
        }
        // The outcome is unknown: the same commit again, under the same id, until the broker has an answer.
        this.ports.logger.warn({ error, workerId: channel.workerId }, 'assignment not acknowledged, trying again');
        await new Promise((resolve) => setTimeout(resolve, 250));
        if (this.term === undefined) return;
      }
    }
  }

  private async append(channel: Channel, commit: Commit<AssignEvent>): Promise<void> {
    const subject = subjects.assign(channel.workerId);
    const { streamSequence } = await this.ports.store.append(subject, commit, channel.sequence);
    const stored = { commit, streamSequence, subject };
    this.observe(stored);
    this.ports.onStored(stored);
  }

  private async reload(channel: Channel): Promise<void> {
    const commits = await this.ports.store.load(subjects.assign(channel.workerId));
    // Not only forward: a subject whose messages have all aged out counts as new.
    channel.sequence = commits.at(-1)?.streamSequence ?? 0;
    for (const stored of commits) {
      this.observe(stored);
      this.ports.onStored(stored);
    }
  }

  private async reloadQuietly(channel: Channel): Promise<void> {
    try {
      await this.reload(channel);
    } catch (error) {
      this.ports.logger.warn({ error, workerId: channel.workerId }, 'assignments of a worker could not be read again');
    }
  }

  private refuse(channel: Channel, events: readonly AssignEvent[]): void {
    if (events.length > 0) this.ports.onRefused(channel.workerId, events);
  }

  private commitOf(channel: Channel, events: readonly AssignEvent[]): Commit<AssignEvent> {
    const id = this.ports.ids.next();
    return {
      id,
      stream: streams.assign.name,
      aggregateId: channel.workerId,
      version: channel.version + 1,
      schemaVersion: ASSIGN_SCHEMA_VERSION,
      occurredAt: this.ports.clock.now(),
      actor: { kind: 'service', id: 'scheduler' },
      correlationId: id,
      causationId: id,
      events,
    };
  }

  private channel(workerId: string): Channel {
    let channel = this.channels.get(workerId);
    if (channel === undefined) {
      channel = { workerId, sequence: 0, version: 0, epoch: 0, pending: [], busy: false };
      this.channels.set(workerId, channel);
    }
    return channel;
  }
}

function fenceOf({ epoch, leader }: Term): AssignEvent {
  return { type: 'EpochStarted', data: { epoch, leader } };
}

/** Removes from `pending` what fits one commit; at least one event if there is any. */
function takeBatch(pending: AssignEvent[]): AssignEvent[] {
  let bytes = 0;
  let count = 0;
  while (count < pending.length && count < MAX_COMMIT_EVENTS) {
    bytes += JSON.stringify(pending[count]).length;
    if (count > 0 && bytes > MAX_COMMIT_BYTES) break;
    count += 1;
  }
  return pending.splice(0, count);
}

function isRetryable(error: unknown): boolean {
  return error instanceof Error && (error as { retryable?: unknown }).retryable !== false;
}
