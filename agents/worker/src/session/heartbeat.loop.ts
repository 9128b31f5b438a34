import type { Heartbeat } from '@gantry/contracts/agents/heartbeat';
import { subjects } from '@gantry/contracts/messaging/streams';
import { timing } from '@gantry/contracts/messaging/timing';
import { ConnectionState } from '@gantry/jetstream/connection-state';
import { jetStreamOf } from '@gantry/jetstream/publisher';
import type { Logger } from '@gantry/nest-platform/logger';
import type { NatsConnection } from '@nats-io/transport-node';

const ACK_TIMEOUT_MS = 4_000;
const encoder = new TextEncoder();

export interface HeartbeatOptions {
  readonly workerId: string;
  compose(): Promise<Heartbeat>;
  /** Milliseconds until the next one. */
  interval(): number;
  /** Acknowledged; `sentAt` is on the clock of `performance.now()`. */
  onRenewed(sentAt: number): void;
  readonly logger: Logger;
}

/** Sends heartbeats; the broker's acknowledgement is the renewal of every lease that this agent holds. */
export class HeartbeatLoop {
  private timer: NodeJS.Timeout | undefined;
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

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.sending;
  }

  private schedule(): void {
    if (this.stopped) return;
    this.timer = setTimeout(
      () => {
        void this.sendNow();
        this.schedule();
      },
      Math.min(this.options.interval(), timing.heartbeatMs),
    );
  }

  private async send(): Promise<void> {
    const { workerId, logger } = this.options;
    try {
      const heartbeat = await this.options.compose();
      const sentAt = performance.now();
      await jetStreamOf(this.nc).publish(subjects.fleet(workerId), encoder.encode(JSON.stringify(heartbeat)), {
        timeout: ACK_TIMEOUT_MS,
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
