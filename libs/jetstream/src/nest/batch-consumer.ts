import { TransientMap } from '@gantry/kernel/transient-map';
import { TransientSet } from '@gantry/kernel/transient-set';
import { backOff, pause } from '../pause.js';
import type { StreamMessage } from '../stream-message.js';
import type { BatchHandler, ConsumerHost, RunningConsumer } from './consumer-host.js';
import { storeDeadLetter } from './dead-letter.js';
import type { StreamBatchHandlerOptions } from './decorators.js';
import type { Delivery } from './delivery.js';
import { DurableReader } from './durable-reader.js';
import { failureKind, FIRST_RETRY_MS, isWorthLogging, LONGEST_RETRY_MS, stoppingError } from './failure-policy.js';
import { RecentDeliveries } from './recent-deliveries.js';

const ACK_WAIT_MS = 60_000;
/**
 * Of a patient consumer: a part of the time that a batch waits anyway, so that messages need not come one by one. Not more, or the broker's
 * bursts become so long that what is urgent waits behind them.
 */
const gatherMsOf = (maxWaitMs: number): number | undefined => (maxWaitMs >= 100 ? maxWaitMs / 8 : undefined);
/** Tries of a whole batch before it is split, and of a single message before it is dead-lettered. */
const TRIES = 3;
/** The handler works a twentieth of the time, as far as `busyWaitMs` allows: the larger a batch, the cheaper each message. */
const WAIT_PER_WORK = 19;
/**
 * Batches in a row that are handed over after `maxWaitMs`, regained at one per `busyWaitMs`: a statement costs the same whatever it stores,
 * so a steady trickle must not become many small ones, while a single task or a short burst is stored at once.
 */
const QUICK_BATCHES = 6;

/** Hands messages over in batches, one batch at a time in each lane, acknowledged together; the next batch fills up meanwhile. */
export class BatchConsumer implements RunningConsumer {
  private waiting: Delivery[] = [];
  /** The newest delivery of each message in hand. */
  private readonly inHand = new TransientMap<string, Delivery>();
  private readonly recent = new RecentDeliveries();
  private readonly reader: DurableReader;
  private readonly keepAlive: NodeJS.Timeout;
  private readonly maxMessages: number;
  private readonly maxWaitMs: number;
  private readonly busyWaitMs: number;
  private workedMs = 0;
  private quickBatches = QUICK_BATCHES;
  private handedOverAt = performance.now();
  private readonly name: string;
  private withdrawn: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly lanes: number;
  private readonly turns: (() => Promise<void>)[] = [];
  private readonly running = new TransientSet<Promise<void>>();
  /** Turns that will take a batch, as soon as a lane is free. */
  private handOvers = 0;

  constructor(
    private readonly host: ConsumerHost,
    private readonly options: StreamBatchHandlerOptions,
    private readonly handler: BatchHandler,
  ) {
    const { stream, durable, filter, maxMessages = 500, maxWaitMs = 200, busyWaitMs = maxWaitMs, lanes = 1 } = options;
    const { gatherMs = gatherMsOf(maxWaitMs) } = options;
    this.lanes = lanes;
    this.maxMessages = maxMessages;
    this.maxWaitMs = maxWaitMs;
    this.busyWaitMs = busyWaitMs;
    this.name = `${stream.name}/${durable}`;
    this.reader = new DurableReader(host.nc, {
      stream,
      durable,
      filter,
      ackWaitMs: ACK_WAIT_MS,
      gatherMs,
      limit: (lanes + 1) * maxMessages,
      held: () => this.inHand.size,
      take: (delivery) => this.take(delivery),
      onState: (reading, reason) => host.health.set(`consumer ${this.name}`, reading ? 'healthy' : 'degraded', reason),
    });
    this.keepAlive = setInterval(() => {
      for (const delivery of this.inHand.values()) delivery.working();
      host.metrics.held(this.name, this.inHand.size);
    }, ACK_WAIT_MS / 3);
  }

  async stop(): Promise<void> {
    this.withdrawn = this.reader.stop();
    clearTimeout(this.timer);
    await this.withdrawn;
    while (this.running.size > 0) await Promise.all(this.running);
    await this.giveBack(this.waiting.splice(0));
    clearInterval(this.keepAlive);
  }

  replay(message: StreamMessage): Promise<void> {
    return this.inTurn(async () => {
      if (this.reader.signal.aborted) throw stoppingError();
      await this.handler([message]);
      this.host.metrics.message(this.name, 'replayed');
    });
  }

  private take(delivery: Delivery): void {
    if (this.recent.has(delivery.key)) {
      delivery.ack();
      return;
    }
    const known = this.inHand.has(delivery.key);
    this.inHand.set(delivery.key, delivery);
    if (known) return;
    this.waiting.push(delivery);
    if (this.isBatchFull) this.handOver();
    else this.timer ??= setTimeout(() => this.handOver(), this.waitMs);
  }

  /** Beside what is promised already. */
  private get isBatchFull(): boolean {
    return this.waiting.length >= (this.handOvers + 1) * this.maxMessages;
  }

  private get waitMs(): number {
    if (this.quickBatchesLeft() < 1) return this.busyWaitMs;
    return Math.max(this.maxWaitMs, Math.min(this.busyWaitMs, this.workedMs * WAIT_PER_WORK));
  }

  private handOver(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.handOvers += 1;
    void this.inTurn(async () => {
      this.handOvers -= 1;
      if (this.reader.signal.aborted) return;
      const batch = this.waiting.splice(0, this.maxMessages);
      if (batch.length > 0) {
        this.spendQuickBatch();
        await this.finish(batch, TRIES);
      }
      this.reader.makeRoom();
      // What came meanwhile without filling a batch has waited long enough by now.
      if (this.isBatchFull) this.handOver();
      else if (this.waiting.length > 0) this.timer ??= setTimeout(() => this.handOver(), this.waitMs);
    });
  }

  /** As soon as a lane is free. */
  private inTurn(work: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.turns.push(() => work().then(resolve, reject));
      this.startTurns();
    });
  }

  private startTurns(): void {
    while (this.running.size < this.lanes) {
      const turn = this.turns.shift()?.();
      if (turn === undefined) return;
      const ended = turn.finally(() => {
        this.running.delete(ended);
        this.startTurns();
      });
      this.running.add(ended);
    }
  }

  private quickBatchesLeft(): number {
    const regained = (performance.now() - this.handedOverAt) / this.busyWaitMs;
    return Math.min(QUICK_BATCHES, this.quickBatches + regained);
  }

  private spendQuickBatch(): void {
    this.quickBatches = Math.max(0, this.quickBatchesLeft() - 1);
    this.handedOverAt = performance.now();
  }

  /** Never throws: every message of the batch ends acknowledged, dead-lettered, or given back. */
  private async finish(batch: Delivery[], tries: number): Promise<void> {
    const { signal } = this.reader;
    let outages = 0;
    for (let failures = 0; !signal.aborted;) {
      const startedAt = performance.now();
      try {
        await this.handler(batch);
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
        continue;
      }
      this.workedMs = performance.now() - startedAt;
      this.acknowledge(batch);
      return;
    }
    await this.giveBack(batch);
  }

  /** Halves, in order, each tried once before it is halved again; a message alone gets its full number of tries. */
  private async split(batch: Delivery[]): Promise<void> {
    const middle = Math.ceil(batch.length / 2);
    for (const half of [batch.slice(0, middle), batch.slice(middle)]) {
      await this.finish(half, half.length === 1 ? TRIES : 1);
    }
  }

  private acknowledge(batch: Delivery[]): void {
    for (const { key } of batch) {
      this.recent.add(key);
      this.inHand.get(key)?.ack();
      this.inHand.delete(key);
    }
    this.host.metrics.message(this.name, 'done', batch.length);
  }

  private async deadLetter([delivery]: Delivery[], error: unknown, failures: number): Promise<boolean> {
    if (delivery === undefined) return true;
    const { nc, logger, metrics } = this.host;
    const { stream, durable } = this.options;
    const fields = { consumer: this.name, subject: delivery.subject, streamSequence: delivery.streamSequence };
    try {
      await storeDeadLetter(
        nc,
        { stream: stream.name, consumer: durable, message: delivery, failures, error },
        this.reader.signal,
      );
    } catch (storeError) {
      logger.error({ ...fields, err: storeError }, 'dead letter not stored');
      return false;
    }
    this.recent.add(delivery.key);
    this.inHand.get(delivery.key)?.term();
    this.inHand.delete(delivery.key);
    metrics.message(this.name, 'dead_lettered');
    logger.error({ ...fields, err: error }, 'message dead-lettered');
    return true;
  }

  /** Only after the reader has withdrawn its pull requests: see `DurableReader`. */
  private async giveBack(batch: Delivery[]): Promise<void> {
    await this.withdrawn;
    for (const { key } of batch) {
      this.inHand.get(key)?.nak();
      this.inHand.delete(key);
    }
    if (batch.length > 0) this.host.metrics.message(this.name, 'returned', batch.length);
  }

  private logFailure(batch: Delivery[], error: unknown, failures: number): void {
    if (!isWorthLogging(failures)) return;
    const fields = { consumer: this.name, messages: batch.length, firstSequence: batch[0]?.streamSequence, failures };
    this.host.logger.warn({ ...fields, err: error }, 'batch failed, trying again');
  }
}
