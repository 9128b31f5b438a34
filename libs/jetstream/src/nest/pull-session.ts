import { createInbox, type Msg, type NatsConnection, nanos, type Subscription } from '@nats-io/transport-node';
import { pause } from '../pause.js';
import { Delivery } from './delivery.js';

export interface PullSessionOptions {
  stream: string;
  durable: string;
  /** How many more messages may come now. */
  capacity(): number;
  /** Requests are made in portions of at least this many, unless nothing is on its way. */
  portion: number;
  /**
   * While messages keep coming, fetch those that are there this often, instead of having each sent as it is stored: a message that comes
   * alone wakes the broker and this process for itself.
   */
  gatherMs?: number | undefined;
  /** Called at once with each message. */
  take(delivery: Delivery): void;
}

const EXPIRES_MS = 10_000;
const HEARTBEAT_MS = 1_000;
/** Three heartbeats missed: the request is forgotten, the broker restarted, or the consumer is gone. */
const SILENCE_MS = 3 * HEARTBEAT_MS + 500;
/** So many are sent as they are stored before messages are gathered. */
const FEW = 16;
/** A broker that does not answer must not hold up the end of the process. */
const DRAIN_MS = 2_000;

/**
 * Pulls from a durable consumer by exact credit: never more is asked for than there is room, and each message is in the
 * consumer's hands the moment it arrives. (The client's own `consume` buffers behind an iterator: what lies there can
 * neither be kept alive nor given back, and its queued pull requests go out even after a stop, so messages are lost until their
 * acknowledgement is overdue.)
 */
export class PullSession {
  /** Resolves with the reason when the session is over. */
  readonly ended: Promise<string>;
  private end: (reason: string) => void = () => undefined;
  private readonly inbox: string;
  private readonly subscription: Subscription;
  private readonly monitor: NodeJS.Timeout;
  private outstanding = 0;
  private heard = performance.now();
  private stopped = false;
  private late: Delivery[] | undefined;
  /** Messages keep coming: see `gatherMs`. */
  private gathering = false;
  private gatherTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly nc: NatsConnection,
    private readonly options: PullSessionOptions,
  ) {
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
    this.inbox = createInbox();
    this.subscription = nc.subscribe(this.inbox, {
      callback: (error, message) => {
        if (error !== null) this.stop(`subscription refused: ${error.message}`);
        else this.receive(message);
      },
    });
    let lookedAt = performance.now();
    this.monitor = setInterval(() => {
      const now = performance.now();
      // This process was held up, not the broker: what came meanwhile is still to be read, and would be lost until it is overdue.
      if (now - lookedAt > 2 * HEARTBEAT_MS) this.heard = now;
      lookedAt = now;
      if (this.outstanding > 0 && now - this.heard > SILENCE_MS) this.stop('the broker fell silent');
    }, HEARTBEAT_MS);
    this.refill();
  }

  /** Asks for as much as there is room. Call it whenever room was made. */
  refill(): void {
    if (this.stopped || this.nc.isClosed() || this.gatherTimer !== undefined) return;
    const { portion, gatherMs } = this.options;
    const room = this.options.capacity() - this.outstanding;
    if (room <= 0 || (this.outstanding > 0 && (gatherMs !== undefined || room < portion))) return;
    if (this.outstanding === 0) this.heard = performance.now();
    const batch = gatherMs === undefined || this.gathering ? room : Math.min(room, FEW);
    this.outstanding += batch;
    this.nc.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${this.options.stream}.${this.options.durable}`,
      JSON.stringify(
        this.gathering
          ? { batch, no_wait: true }
          : { batch, expires: nanos(EXPIRES_MS), idle_heartbeat: nanos(HEARTBEAT_MS) },
      ),
      { reply: this.inbox },
    );
  }

  /**
   * Asks for nothing more. Resolves, when all has come that was on its way, with just that: nobody has it in hand, and the broker
   * would wait for an answer until it is overdue.
   */
  async drain(): Promise<Delivery[]> {
    if (this.stopped) return [];
    const late: Delivery[] = [];
    this.late = late;
    this.stopped = true;
    this.clearTimers();
    this.end('stopped');
    if (this.nc.isClosed()) return late;
    const over = new AbortController();
    // A connection that breaks meanwhile has nothing on its way any more.
    const drained = this.subscription.drain().catch(() => undefined);
    await Promise.race([drained.finally(() => over.abort()), pause(DRAIN_MS, over.signal)]);
    return late;
  }

  /** Nothing is delivered after this; what is on its way is lost until the broker sends it again. */
  stop(reason = 'stopped'): void {
    if (this.stopped) return;
    this.stopped = true;
    this.clearTimers();
    if (!this.nc.isClosed()) this.subscription.unsubscribe();
    this.end(reason);
  }

  private clearTimers(): void {
    clearInterval(this.monitor);
    clearTimeout(this.gatherTimer);
  }

  private receive(message: Msg): void {
    if (this.stopped) {
      if (message.subject !== this.inbox) this.late?.push(new Delivery(this.nc, message));
      return;
    }
    this.heard = performance.now();
    if (message.subject === this.inbox) {
      this.status(message);
      return;
    }
    this.outstanding = Math.max(0, this.outstanding - 1);
    this.options.take(new Delivery(this.nc, message));
    if (this.outstanding === 0 && this.options.gatherMs !== undefined && !this.gathering) this.gather();
    // A request for all that is there, served in full: there is more.
    else this.refill();
  }

  private gather(): void {
    this.gathering = true;
    this.gatherTimer = setTimeout(() => {
      this.gatherTimer = undefined;
      this.refill();
    }, this.options.gatherMs);
  }

  private status(message: Msg): void {
    const code = message.headers?.code ?? 0;
    if (code === 100) return;
    // A request is over: 404 and 408 when its time is, or when all was sent that is there; others by an event. The header says how much
    // of it was not served.
    const unserved = Number(message.headers?.get('Nats-Pending-Messages') || this.outstanding);
    this.outstanding = Math.max(0, this.outstanding - unserved);
    if (code !== 404 && code !== 408) {
      this.stop(message.headers?.description || `status ${code}`);
      return;
    }
    if (this.gathering && code === 408) {
      this.gather();
      return;
    }
    this.gathering = false;
    this.refill();
  }
}
