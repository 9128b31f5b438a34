import { type AssignEvent, assignEventSchemas, type AssignEventType } from '@gantry/contracts/scheduling/assign-events';
import { commitSchema } from '@gantry/contracts/messaging/commit';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { ConnectionState } from '@gantry/jetstream/connection-state';
import { backOff, pause } from '@gantry/jetstream/pause';
import { manager } from '@gantry/jetstream/stream-admin';
import type { Logger } from '@gantry/nest-platform/logger';
import type { StoredMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Silence } from '../domain/lease.js';

const EXPECTED_HEADER = 'Nats-Expected-Last-Subject-Sequence';
/** How long a message that was announced is looked for; one that the stream refused never comes. */
const ANNOUNCED_FOR_MS = 1_000;

export interface InboxOptions {
  readonly workerId: string;
  /** Last applied sequence; undefined = this agent has never run. */
  readonly startAfter: number | undefined;
  /** When that was applied, epoch milliseconds. */
  readonly appliedAt: number | undefined;
  /** The longest time without a renewal since the last call; see `LeaseRenewal`. */
  takeLongestGap(): number;
  /** Applies events in order, then remembers the sequence. */
  apply(events: AssignEvent[], sequence: number, silence: Silence): void;
  readonly logger: Logger;
}

/**
 * The agent's own subject of ASSIGN. A core subscription tells at once that something was published, but what is applied is
 * always read from the stream: a core subscriber also hears what the stream then refuses, such as the late decision of a
 * scheduler that has lost its leadership, and the fence would be worth nothing.
 */
export class AssignmentInbox {
  private sequence: number;
  /** Of all that was applied, also before a restore of the stream. */
  private highest: number;
  /** When the newest of it was stored, epoch milliseconds. */
  private storedAt: number;
  /** Beginning of the newest reading that was answered. */
  private readAt = Number.NEGATIVE_INFINITY;
  private announced = new Map<string, number>();
  private wake: (() => void) | undefined;
  private asked = true;

  constructor(
    private readonly nc: NatsConnection,
    private readonly options: InboxOptions,
    private readonly signal: AbortSignal,
  ) {
    this.sequence = options.startAfter ?? 0;
    this.highest = this.sequence;
    this.storedAt = options.appliedAt ?? 0;
    signal.addEventListener('abort', () => this.wake?.(), { once: true });
  }

  get appliedSequence(): number {
    return this.sequence;
  }

  /** Resolves when what was missed has been applied; goes on by itself after that. */
  async start(): Promise<void> {
    this.listen();
    ConnectionState.of(this.nc).onChange((connected) => {
      if (connected) this.check();
    });
    await this.readPatiently();
    void this.run();
  }

  /** Looks whether there is anything new; the heartbeat does so as a safety net. */
  check(): void {
    this.asked = true;
    this.wake?.();
  }

  private listen(): void {
    const subscription = this.nc.subscribe(subjects.assign(this.options.workerId));
    void (async () => {
      for await (const message of subscription) {
        const commit = commitSchema.safeParse(jsonOrUndefined(message.string()));
        if (commit.success) this.announced.set(commit.data.id, performance.now());
        this.check();
      }
    })();
    this.signal.addEventListener('abort', () => subscription.unsubscribe(), { once: true });
  }

  private async run(): Promise<void> {
    while (!this.signal.aborted) {
      if (!this.asked) await new Promise<void>((resolve) => (this.wake = resolve));
      this.wake = undefined;
      await this.readPatiently();
      for (let round = 0; this.announced.size > 0 && !this.signal.aborted; round += 1) {
        await pause(backOff(round, 1, 50), this.signal);
        await this.readPatiently();
        const oldest = performance.now() - ANNOUNCED_FOR_MS;
        for (const [id, at] of this.announced) if (at < oldest) this.announced.delete(id);
      }
    }
  }

  private async readPatiently(): Promise<void> {
    this.asked = false;
    for (let failures = 0; !this.signal.aborted; failures += 1) {
      try {
        await this.readNew();
        return;
      } catch (error) {
        if (this.nc.isClosed()) return;
        if (failures % 20 === 0) this.options.logger.warn({ err: error }, 'assignments cannot be read yet');
        await pause(backOff(failures, 50, 2_000), this.signal);
        await ConnectionState.of(this.nc).settle(5_000, this.signal);
      }
    }
  }

  private async readNew(): Promise<void> {
    const startedAt = performance.now();
    const jsm = await manager(this.nc);
    const { name } = streams.assign;
    const subject = subjects.assign(this.options.workerId);
    const newest = await jsm.streams.getMessage(name, { last_by_subj: subject });
    if (newest !== null && newest.seq < this.sequence && (await this.isSetBack())) this.sequence = 0;
    if (newest !== null && newest.seq > this.sequence) {
      const messages: StoredMsg[] = [];
      // Usually there is one new message and its fence names the last applied one; a filtered search costs more.
      if (newest.header.get(EXPECTED_HEADER) !== String(this.sequence)) {
        for (let next = this.sequence + 1; next < newest.seq;) {
          // The client's type leaves `next_by_subj` out; every broker version since 2.9 knows it.
          const message = await jsm.streams.getMessage(name, { seq: next, next_by_subj: subject } as { seq: number });
          if (message === null || message.seq >= newest.seq) break;
          messages.push(message);
          next = message.seq + 1;
        }
      }
      messages.push(newest);
      // Taken after the answers: a loss that was declared before them shows as a gap that has begun by now.
      const silence = {
        unreadMs: performance.now() - this.readAt,
        longestGapMs: this.options.takeLongestGap(),
      };
      this.options.apply(
        messages.filter((message) => !this.wasApplied(message)).flatMap((message) => this.eventsOf(message)),
        newest.seq,
        silence,
      );
      this.sequence = newest.seq;
      this.highest = Math.max(this.highest, newest.seq);
      this.storedAt = Math.max(this.storedAt, newest.time.getTime());
    } else {
      this.options.takeLongestGap();
    }
    this.readAt = startedAt;
  }

  /**
   * The stream was restored from a backup, or made anew, and numbers its assignments below what was applied. That an older message
   * is the newest of the subject proves nothing: a broker that was just killed may have lost sight of newer ones for a moment.
   */
  private async isSetBack(): Promise<boolean> {
    const { state } = await (await manager(this.nc)).streams.info(streams.assign.name);
    if (state.last_seq >= this.sequence) return false;
    this.options.logger.warn(
      { applied: this.sequence, newest: state.last_seq },
      'the stream of assignments was set back',
    );
    return true;
  }

  /** Restored messages keep their times, and those that came after the restore are later than all that was applied before it. */
  private wasApplied(message: StoredMsg): boolean {
    return message.seq <= this.highest && message.time.getTime() <= this.storedAt;
  }

  private eventsOf(message: StoredMsg): AssignEvent[] {
    const commit = commitSchema.safeParse(jsonOrUndefined(message.string()));
    if (!commit.success) {
      this.options.logger.error({ sequence: message.seq }, 'unreadable assignment skipped');
      return [];
    }
    this.announced.delete(commit.data.id);
    return commit.data.events.flatMap((event): AssignEvent[] => {
      const schema = event.type in assignEventSchemas ? assignEventSchemas[event.type as AssignEventType] : undefined;
      // A type that this version does not know is a newer scheduler's; it must not rely on an older agent for it.
      const data = schema?.safeParse(event.data);
      if (data?.success === true) return [{ type: event.type, data: data.data } as AssignEvent];
      this.options.logger.error({ sequence: message.seq, event: event.type }, 'assignment event not understood');
      return [];
    });
  }
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
