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
  /** Called at once with each message. */
  take(delivery: Delivery): void;
}

const EXPIRES_MS = 10_000;
const HEARTBEAT_MS = 1_000;
/** Three heartbeats missed: the request is forgotten, the broker restarted, or the consumer is gone. */
const SILENCE_MS = 3 * HEARTBEAT_MS + 500;
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
    if (this.stopped || this.nc.isClosed()) return;
    const room = this.options.capacity() - this.outstanding;
    if (room <= 0 || (this.outstanding > 0 && room < this.options.portion)) return;
    if (this.outstanding === 0) this.heard = performance.now();
    this.outstanding += room;
    this.nc.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${this.options.stream}.${this.options.durable}`,
      JSON.stringify({ batch: room, expires: nanos(EXPIRES_MS), idle_heartbeat: nanos(HEARTBEAT_MS) }),
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
    clearInterval(this.monitor);
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
    clearInterval(this.monitor);
    if (!this.nc.isClosed()) this.subscription.unsubscribe();
    this.end(reason);
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
    this.refill();
  }

  private status(message: Msg): void {
    const code = message.headers?.code ?? 0;
    if (code === 100) return;
    // A request is over: 404 and 408 in time, others by an event. The header says how much of it was not served.
    const unserved = Number(message.headers?.get('Nats-Pending-Messages') || this.outstanding);
    this.outstanding = Math.max(0, this.outstanding - unserved);
    if (code === 404 || code === 408) this.refill();
    else this.stop(message.headers?.description || `status ${code}`);
  }
}
