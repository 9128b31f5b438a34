import type { Heartbeat } from '@gantry/contracts/agents/heartbeat';
import { subjects } from '@gantry/contracts/messaging/streams';
import { ackTimeoutMs } from '@gantry/contracts/messaging/lease-timing';
import { ConnectionState } from '@gantry/jetstream/connection-state';
import { jetStreamOf } from '@gantry/jetstream/publisher';
import type { Logger } from '@gantry/nest-platform/logger';
import type { NatsConnection } from '@nats-io/transport-node';

const encoder = new TextEncoder();

export interface HeartbeatOptions {
  readonly workerId: string;
  compose(): Promise<Heartbeat>;
  /** Milliseconds until the next one. */
  interval(): number;
  /** A monotonic clock, milliseconds. */
  now(): number;
  /** Acknowledged. `sentAt`: read from `now` before the sending, so that the broker has it no earlier. */
  onRenewed(sentAt: number): void;
  readonly logger: Logger;
}

/** Sends heartbeats; the broker's acknowledgement is the renewal of every lease that this agent holds. */
export class HeartbeatLoop {
  private timer: NodeJS.Timeout | undefined;
  private pace = Number.POSITIVE_INFINITY;
  private stopped = false;
  private sending: Promise<void> | undefined;
  private failing = false;

  constructor(
    private readonly nc: NatsConnection,
    private readonly options: HeartbeatOptions,
  ) {}

  async start(): Promise<void> {
    ConnectionState.of(this.nc).onChange((connected) => {
      if (connected && !this.stopped) void this.sendNow();
    });
    await this.sendNow();
    this.schedule();
  }

  /** One heartbeat now, unless one is on its way. Never rejects. */
  sendNow(): Promise<void> {
    this.sending ??= this.send().finally(() => {
      this.sending = undefined;
    });
    return this.sending;
  }

  /** After an assignment: its lease may ask for more heartbeats than the one that the next was planned for. */
  hasten(): void {
    if (this.stopped || this.timer === undefined || this.options.interval() >= this.pace) return;
    clearTimeout(this.timer);
    void this.sendNow();
    this.schedule();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.sending;
  }

  private schedule(): void {
    if (this.stopped) return;
    this.pace = this.options.interval();
    this.timer = setTimeout(() => {
      void this.sendNow();
      this.schedule();
    }, this.pace);
  }

  private async send(): Promise<void> {
    const { workerId, logger } = this.options;
    try {
      const heartbeat = await this.options.compose();
      const sentAt = this.options.now();
      await jetStreamOf(this.nc).publish(subjects.fleet(workerId), encoder.encode(JSON.stringify(heartbeat)), {
        timeout: ackTimeoutMs(this.options.interval()),
      });
      this.options.onRenewed(sentAt);
      if (this.failing) logger.info('heartbeats are acknowledged again');
      this.failing = false;
    } catch (error) {
      if (!this.failing) logger.warn({ err: error }, 'heartbeat was not acknowledged');
      this.failing = true;
    }
  }
}
