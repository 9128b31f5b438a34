import type { JsMsg } from '@nats-io/jetstream';
import { backOff, pause } from '../pause.js';
import { DeliveredMessage } from '../stream-message.js';
import type { BatchHandler, ConsumerHost, RunningConsumer } from './consumer-host.js';
import { storeDeadLetter } from './dead-letter.js';
import type { StreamBatchHandlerOptions } from './decorators.js';
import { DurableReader } from './durable-reader.js';
import { failureKind, FIRST_RETRY_MS, isWorthLogging, LONGEST_RETRY_MS } from './failure-policy.js';
import { keyOf, RecentDeliveries } from './recent-deliveries.js';

const ACK_WAIT_MS = 60_000;
/** Tries of a whole batch before it is split, and of a single message before it is dead-lettered. */
const TRIES = 3;

interface Held {
  message: JsMsg;
  readonly delivered: DeliveredMessage;
}

/** Hands messages over in batches, one batch at a time, acknowledged together. */
export class BatchConsumer implements RunningConsumer {
  private readonly waiting: Held[] = [];
  private readonly inHand = new Map<string, Held>();
  private readonly recent = new RecentDeliveries();
  private readonly stopping = new AbortController();
  private readonly reading: Promise<void>;
  private readonly keepAlive: NodeJS.Timeout;
  private readonly maxMessages: number;
  private readonly maxWaitMs: number;
  private readonly name: string;
  private timer: NodeJS.Timeout | undefined;
  private tail: Promise<void> = Promise.resolve();

  constructor(
    private readonly host: ConsumerHost,
    private readonly options: StreamBatchHandlerOptions,
    private readonly handler: BatchHandler,
  ) {
    const { stream, durable, filter, maxMessages = 500, maxWaitMs = 200 } = options;
    this.maxMessages = maxMessages;
    this.maxWaitMs = maxWaitMs;
    this.name = `${stream.name}/${durable}`;
    const reader = new DurableReader(host.nc, {
      stream,
      durable,
      filter,
      ackWaitMs: ACK_WAIT_MS,
      prefetch: maxMessages,
      take: (message) => this.take(message),
      onState: (reading, reason) => host.health.set(`consumer ${this.name}`, reading ? 'healthy' : 'degraded', reason),
    });
    this.reading = reader.run(this.stopping.signal);
    this.keepAlive = setInterval(() => {
      if (!host.nc.isClosed()) for (const held of this.inHand.values()) held.message.working();
      host.metrics.held(this.name, this.inHand.size);
    }, ACK_WAIT_MS / 3);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    clearTimeout(this.timer);
    await this.reading;
    await this.tail;
    await this.giveBack(this.waiting.splice(0));
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
    const held = { message, delivered: new DeliveredMessage(message) };
    this.inHand.set(key, held);
    this.waiting.push(held);
    if (this.waiting.length >= this.maxMessages) return this.handOver();
    this.timer ??= setTimeout(() => void this.handOver(), this.maxWaitMs);
    return undefined;
  }

  private handOver(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.tail = this.tail.then(async () => {
      const batch = this.waiting.splice(0, this.maxMessages);
      if (batch.length === 0) return;
      await this.finish(batch, TRIES);
      for (const { message } of batch) this.inHand.delete(keyOf(message));
    });
    return this.tail;
  }

  /** Never throws: every message of the batch ends acknowledged, dead-lettered, or given back. */
  private async finish(batch: Held[], tries: number): Promise<void> {
    const { signal } = this.stopping;
    let outages = 0;
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.handler(batch.map((held) => held.delivered));
        this.acknowledge(batch);
        return;
      } catch (error) {
        this.host.metrics.message(this.name, 'retried', batch.length);
        const kind = failureKind(error);
        if (kind === 'outage') outages += 1;
        else failures += 1;
        this.logFailure(batch, error, failures + outages);
        if (kind === 'hopeless' || failures >= tries) {
          if (batch.length > 1) {
            await this.split(batch);
            return;
          }
          if (await this.deadLetter(batch, error, failures)) return;
        }
        await pause(backOff(failures + outages - 1, FIRST_RETRY_MS, LONGEST_RETRY_MS), signal);
      }
    }
    await this.giveBack(batch);
  }

  /** Halves, in order, each tried once before it is halved again; a message alone gets its full number of tries. */
  private async split(batch: Held[]): Promise<void> {
    const middle = Math.ceil(batch.length / 2);
    for (const half of [batch.slice(0, middle), batch.slice(middle)]) {
      await this.finish(half, half.length === 1 ? TRIES : 1);
    }
  }

  private acknowledge(batch: Held[]): void {
    for (const { message } of batch) {
      this.recent.add(message);
      if (!this.host.nc.isClosed()) message.ack();
    }
    this.host.metrics.message(this.name, 'done', batch.length);
  }

  private async deadLetter([held]: Held[], error: unknown, failures: number): Promise<boolean> {
    if (held === undefined) return true;
    const { nc, logger, metrics } = this.host;
    const { stream, durable } = this.options;
    const { subject, streamSequence } = held.delivered;
    try {
      await storeDeadLetter(nc, { stream: stream.name, consumer: durable, message: held.delivered, failures, error }, this.stopping.signal);
    } catch (storeError) {
      logger.error({ consumer: this.name, subject, streamSequence, err: storeError }, 'dead letter not stored');
      return false;
    }
    this.recent.add(held.message);
    if (!nc.isClosed()) held.message.term();
    metrics.message(this.name, 'dead_lettered');
    logger.error({ consumer: this.name, subject, streamSequence, err: error }, 'message dead-lettered');
    return true;
  }

  /** Only after the reader has withdrawn its pull requests: see `DurableReader`. */
  private async giveBack(batch: Held[]): Promise<void> {
    await this.reading;
    for (const { message } of batch) {
      if (!this.host.nc.isClosed()) message.nak();
      this.inHand.delete(keyOf(message));
    }
    if (batch.length > 0) this.host.metrics.message(this.name, 'returned', batch.length);
  }

  private logFailure(batch: Held[], error: unknown, failures: number): void {
    if (!isWorthLogging(failures)) return;
    const firstSequence = batch[0]?.delivered.streamSequence;
    this.host.logger.warn({ consumer: this.name, messages: batch.length, firstSequence, failures, err: error }, 'batch failed, trying again');
  }
}
