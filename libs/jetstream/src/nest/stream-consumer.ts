import { GantryError } from '@gantry/kernel/gantry-error';
import type { JsMsg } from '@nats-io/jetstream';
import { backOff, pause } from '../pause.js';
import { DeliveredMessage } from '../stream-message.js';
import type { ConsumerHost, MessageHandler, RunningConsumer } from './consumer-host.js';
import { storeDeadLetter } from './dead-letter.js';
import type { StreamHandlerOptions } from './decorators.js';
import { DurableReader } from './durable-reader.js';
import { failureKind, FIRST_RETRY_MS, isWorthLogging, LONGEST_RETRY_MS, OUTAGE_PATIENCE } from './failure-policy.js';
import { keyOf, RecentDeliveries } from './recent-deliveries.js';

interface Entry {
  /** The newest delivery of the message: a later one may come while it is in hand. */
  message: JsMsg;
  readonly delivered: DeliveredMessage;
  readonly key: string;
  failures: number;
}

/**
 * One message after the other per subject, subjects side by side. A failing message stays in hand and is tried again after a
 * growing delay, so that a later message of its subject never overtakes it; the broker is told that the work goes on.
 */
export class StreamConsumer implements RunningConsumer {
  private readonly lanes = new Map<string, Entry[]>();
  private readonly inHand = new Map<string, Entry>();
  private readonly recent = new RecentDeliveries();
  private readonly stopping = new AbortController();
  private readonly reading: Promise<void>;
  private readonly keepAlive: NodeJS.Timeout;
  private readonly maxInFlight: number;
  private readonly maxDeliver: number;
  private readonly name: string;
  private roomMade: (() => void) | undefined;
  private emptied: (() => void) | undefined;

  constructor(
    private readonly host: ConsumerHost,
    private readonly options: StreamHandlerOptions,
    private readonly handler: MessageHandler,
  ) {
    const { stream, durable, filter, maxInFlight = 256, ackWaitMs = 30_000, maxDeliver = 20 } = options;
    this.maxInFlight = maxInFlight;
    this.maxDeliver = maxDeliver;
    this.name = `${stream.name}/${durable}`;
    const reader = new DurableReader(host.nc, {
      stream,
      durable,
      filter,
      ackWaitMs,
      prefetch: maxInFlight,
      take: (message) => this.take(message),
      onState: (reading, reason) => host.health.set(`consumer ${this.name}`, reading ? 'healthy' : 'degraded', reason),
    });
    this.reading = reader.run(this.stopping.signal);
    this.keepAlive = setInterval(() => {
      if (!host.nc.isClosed()) for (const entry of this.inHand.values()) entry.message.working();
      host.metrics.held(this.name, this.inHand.size);
    }, ackWaitMs / 3);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.roomMade?.();
    await this.reading;
    if (this.inHand.size > 0) {
      await new Promise<void>((resolve) => {
        this.emptied = resolve;
      });
    }
    clearInterval(this.keepAlive);
  }

  private take(message: JsMsg): void | Promise<void> {
    if (this.recent.has(message)) {
      message.ack();
      return;
    }
    const key = keyOf(message);
    const known = this.inHand.get(key);
    if (known !== undefined) {
      known.message = message;
      return;
    }
    const entry: Entry = { message, delivered: new DeliveredMessage(message), key, failures: 0 };
    this.inHand.set(key, entry);
    const lane = this.lanes.get(message.subject);
    if (lane === undefined) {
      const opened = [entry];
      this.lanes.set(message.subject, opened);
      void this.runLane(message.subject, opened);
    } else {
      lane.push(entry);
    }
    if (this.inHand.size < this.maxInFlight) return;
    return new Promise((resolve) => {
      this.roomMade = resolve;
    });
  }

  private async runLane(subject: string, lane: Entry[]): Promise<void> {
    for (let entry = lane[0]; entry !== undefined; entry = lane[0]) {
      if (this.stopping.signal.aborted) await this.giveBack(entry);
      else await this.finish(entry);
      lane.shift();
      this.inHand.delete(entry.key);
      this.roomMade?.();
      this.roomMade = undefined;
    }
    this.lanes.delete(subject);
    if (this.inHand.size === 0) this.emptied?.();
  }

  /** Runs the handler until it succeeds, gives up, or the service stops. Never throws. */
  private async finish(entry: Entry): Promise<void> {
    const { signal } = this.stopping;
    // A message that kills the process with it never counts as failed: the broker's own count ends that.
    if (entry.delivered.redeliveries >= this.maxDeliver * OUTAGE_PATIENCE) {
      const error = new GantryError('MESSAGE.NEVER_FINISHED', 'internal', `Delivered ${entry.delivered.redeliveries} times without an end.`);
      if (await this.deadLetter(entry, error)) return;
    }
    while (!signal.aborted) {
      try {
        await this.handler(entry.delivered);
        this.acknowledge(entry);
        return;
      } catch (error) {
        entry.failures += 1;
        if (this.isFinal(error, entry.failures) && (await this.deadLetter(entry, error))) return;
        this.host.metrics.message(this.name, 'retried');
        this.logFailure(entry, error);
        await pause(backOff(entry.failures - 1, FIRST_RETRY_MS, LONGEST_RETRY_MS), signal);
      }
    }
    await this.giveBack(entry);
  }

  private isFinal(error: unknown, failures: number): boolean {
    const kind = failureKind(error);
    return kind === 'hopeless' || failures >= this.maxDeliver * (kind === 'outage' ? OUTAGE_PATIENCE : 1);
  }

  private async deadLetter(entry: Entry, error: unknown): Promise<boolean> {
    const { nc, logger, metrics } = this.host;
    const { stream, durable } = this.options;
    try {
      await storeDeadLetter(
        nc,
        { stream: stream.name, consumer: durable, message: entry.delivered, failures: entry.failures, error },
        this.stopping.signal,
      );
    } catch (storeError) {
      logger.error({ ...this.fields(entry), err: storeError }, 'dead letter not stored');
      return false;
    }
    this.recent.add(entry.message);
    if (!nc.isClosed()) entry.message.term();
    metrics.message(this.name, 'dead_lettered');
    logger.error({ ...this.fields(entry), err: error }, 'message dead-lettered');
    return true;
  }

  /** An answer that is lost with the connection only means that the message comes again, and `recent` knows it then. */
  private acknowledge(entry: Entry): void {
    this.recent.add(entry.message);
    if (!this.host.nc.isClosed()) entry.message.ack();
    this.host.metrics.message(this.name, 'done');
  }

  /** Only after the reader has withdrawn its pull requests: see `DurableReader`. */
  private async giveBack(entry: Entry): Promise<void> {
    await this.reading;
    if (!this.host.nc.isClosed()) entry.message.nak();
    this.host.metrics.message(this.name, 'returned');
  }

  private logFailure(entry: Entry, error: unknown): void {
    if (!isWorthLogging(entry.failures)) return;
    this.host.logger.warn({ ...this.fields(entry), err: error }, 'message failed, trying again');
  }

  private fields(entry: Entry): Record<string, unknown> {
    const { subject, streamSequence } = entry.delivered;
    return { consumer: this.name, subject, streamSequence, failures: entry.failures };
  }
}
