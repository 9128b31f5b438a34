import { GantryError } from '@gantry/kernel/gantry-error';
import { TransientMap } from '@gantry/kernel/transient-map';
import { backOff, pause } from '../pause.js';
import type { StreamMessage } from '../stream-message.js';
import type { ConsumerHost, MessageHandler, RunningConsumer } from './consumer-host.js';
import { storeDeadLetter } from './dead-letter.js';
import type { StreamHandlerOptions } from './decorators.js';
import type { Delivery } from './delivery.js';
import { DurableReader } from './durable-reader.js';
import {
  failureKind,
  FIRST_RETRY_MS,
  isWorthLogging,
  LONGEST_RETRY_MS,
  OUTAGE_PATIENCE,
  stoppingError,
} from './failure-policy.js';
import { RecentDeliveries } from './recent-deliveries.js';

interface Entry {
  /** The newest delivery of the message: a later one may come while it is in hand. */
  delivery: Delivery;
  failures: number;
}

/** Never throws. */
type Turn = () => Promise<void>;

/**
 * One message after the other per subject, subjects side by side. A failing message stays in hand and is tried again after a
 * growing delay, so that a later message of its subject never overtakes it; the broker is told that the work goes on.
 */
export class StreamConsumer implements RunningConsumer {
  /** Turns of each subject that has any, run one after the other. */
  private readonly lanes = new TransientMap<string, Turn[]>();
  private readonly inHand = new TransientMap<string, Entry>();
  private readonly recent = new RecentDeliveries();
  private readonly reader: DurableReader;
  private readonly keepAlive: NodeJS.Timeout;
  private readonly maxDeliver: number;
  private readonly name: string;
  private withdrawn: Promise<void> | undefined;
  private emptied: (() => void) | undefined;

  constructor(
    private readonly host: ConsumerHost,
    private readonly options: StreamHandlerOptions,
    private readonly handler: MessageHandler,
  ) {
    const { stream, durable, filter, maxInFlight = 256, ackWaitMs = 30_000, maxDeliver = 20, gatherMs } = options;
    this.maxDeliver = maxDeliver;
    this.name = `${stream.name}/${durable}`;
    this.reader = new DurableReader(host.nc, {
      stream,
      durable,
      filter,
      ackWaitMs,
      gatherMs,
      limit: maxInFlight,
      held: () => this.inHand.size,
      take: (delivery) => this.take(delivery),
      onState: (reading, reason) => host.health.set(`consumer ${this.name}`, reading ? 'healthy' : 'degraded', reason),
    });
    this.keepAlive = setInterval(() => {
      for (const entry of this.inHand.values()) entry.delivery.working();
      host.metrics.held(this.name, this.inHand.size);
    }, ackWaitMs / 3);
  }

  async stop(): Promise<void> {
    this.withdrawn = this.reader.stop();
    await this.withdrawn;
    if (this.inHand.size > 0) {
      await new Promise<void>((resolve) => {
        this.emptied = resolve;
      });
    }
    clearInterval(this.keepAlive);
  }

  replay(message: StreamMessage): Promise<void> {
    return new Promise((resolve) => {
      this.enqueue(message.subject, async () => {
        const outcome = this.handleReplayed(message);
        resolve(outcome);
        await outcome.catch(() => undefined);
      });
    });
  }

  private async handleReplayed(message: StreamMessage): Promise<void> {
    if (this.reader.signal.aborted) throw stoppingError();
    await this.handler(message);
    this.host.metrics.message(this.name, 'replayed');
  }

  private take(delivery: Delivery): void {
    if (this.recent.has(delivery.key)) {
      delivery.ack();
      return;
    }
    const known = this.inHand.get(delivery.key);
    if (known !== undefined) {
      known.delivery = delivery;
      return;
    }
    const entry: Entry = { delivery, failures: 0 };
    this.inHand.set(delivery.key, entry);
    this.enqueue(delivery.subject, async () => {
      if (this.reader.signal.aborted) await this.giveBack(entry);
      else await this.finish(entry);
      this.inHand.delete(entry.delivery.key);
      this.reader.makeRoom();
    });
  }

  private enqueue(subject: string, turn: Turn): void {
    const lane = this.lanes.get(subject);
    if (lane !== undefined) {
      lane.push(turn);
      return;
    }
    const opened = [turn];
    this.lanes.set(subject, opened);
    void this.runLane(subject, opened);
  }

  private async runLane(subject: string, lane: Turn[]): Promise<void> {
    for (let turn = lane[0]; turn !== undefined; turn = lane[0]) {
      await turn();
      lane.shift();
    }
    this.lanes.delete(subject);
    if (this.inHand.size === 0) this.emptied?.();
  }

  /** Runs the handler until it succeeds, gives up, or the service stops. Never throws. */
  private async finish(entry: Entry): Promise<void> {
    const { signal } = this.reader;
    const { redeliveries } = entry.delivery;
    // A message that kills the process with it never counts as failed: the broker's own count ends that.
    if (redeliveries >= this.maxDeliver * OUTAGE_PATIENCE) {
      const error = new GantryError(
        'MESSAGE.NEVER_FINISHED',
        'internal',
        `Delivered ${redeliveries} times without an end.`,
      );
      if (await this.deadLetter(entry, error)) return;
    }
    while (!signal.aborted) {
      try {
        await this.handler(entry.delivery);
      } catch (error) {
        entry.failures += 1;
        if (this.isFinal(error, entry.failures) && (await this.deadLetter(entry, error))) return;
        this.host.metrics.message(this.name, 'retried');
        this.logFailure(entry, error);
        await pause(backOff(entry.failures - 1, FIRST_RETRY_MS, LONGEST_RETRY_MS), signal);
        continue;
      }
      this.recent.add(entry.delivery.key);
      entry.delivery.ack();
      this.host.metrics.message(this.name, 'done');
      return;
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
        { stream: stream.name, consumer: durable, message: entry.delivery, failures: entry.failures, error },
        this.reader.signal,
      );
    } catch (storeError) {
      logger.error({ ...this.fields(entry), err: storeError }, 'dead letter not stored');
      return false;
    }
    this.recent.add(entry.delivery.key);
    entry.delivery.term();
    metrics.message(this.name, 'dead_lettered');
    logger.error({ ...this.fields(entry), err: error }, 'message dead-lettered');
    return true;
  }

  /** Only after the reader has withdrawn its pull requests: see `DurableReader`. */
  private async giveBack(entry: Entry): Promise<void> {
    await this.withdrawn;
    entry.delivery.nak();
    this.host.metrics.message(this.name, 'returned');
  }

  private logFailure(entry: Entry, error: unknown): void {
    if (!isWorthLogging(entry.failures)) return;
    this.host.logger.warn({ ...this.fields(entry), err: error }, 'message failed, trying again');
  }

  private fields(entry: Entry): Record<string, unknown> {
    const { subject, streamSequence } = entry.delivery;
    return { consumer: this.name, subject, streamSequence, failures: entry.failures };
  }
}
