import type { Logger } from '@gantry/nest-platform/logger';
import { Deposed } from './assignment-outbox.js';
import type { LeaderLease, Timers } from './scheduling.ports.js';
import type { SchedulingLoop } from './scheduling-loop.js';

export interface LeadershipPorts {
  readonly lease: LeaderLease;
  readonly loop: SchedulingLoop;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly holder: string;
  readonly ttlMs: number;
}

/**
 * A standby must see a lease unchanged for its whole length before it takes over, and it sees only at its looks: the pause
 * between them adds to an outage, a third of the lease would double it.
 */
const LOOKS_PER_LEASE = 12;

/** Keeps at most one scheduler deciding: renews every third of the lease, steps down as soon as it is not held. */
export class Leadership {
  private stopped = false;
  private cancel: (() => void) | undefined;
  private taking: Promise<void> | undefined;

  constructor(private readonly ports: LeadershipPorts) {}

  /** The first try is made before this resolves. */
  async start(): Promise<void> {
    await this.turn();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel?.();
    await this.taking?.catch(() => undefined);
    await this.ports.loop.stop();
    await this.ports.lease.release();
  }

  private async turn(): Promise<void> {
    const { lease, loop, timers, logger, ttlMs } = this.ports;
    try {
      const held = await lease.acquire();
      if (this.stopped) return;
      if (held && !loop.isLeading && this.taking === undefined) await this.take();
    } catch (error) {
      logger.warn({ error }, 'leader lease could not be renewed');
    }
    if (!lease.held) loop.follow();
    const pause = Math.floor(ttlMs / (lease.held ? 3 : LOOKS_PER_LEASE));
    if (!this.stopped) this.cancel = timers.after(pause, () => void this.turn());
  }

  /** Fencing many subjects can outlast the lease, so it goes on beside the renewals. */
  private async take(): Promise<void> {
    const { lease, loop, holder, logger, timers, ttlMs } = this.ports;
    const taking = loop.lead(lease.epoch, holder, () => lease.held).then(() => undefined);
    this.taking = taking;
    taking
      .catch(async (error: unknown) => {
        logger.warn({ error }, 'take-over failed, trying again');
        if (error instanceof Deposed && (await lease.raise(error.newer)))
          logger.warn({ epoch: lease.epoch }, 'the record of earlier leaderships was lost: going on above them');
      })
      .catch((error: unknown) => logger.warn({ error }, 'leader lease could not be raised'))
      .finally(() => {
        this.taking = undefined;
      });
    await Promise.race([taking, new Promise<void>((resolve) => timers.after(Math.floor(ttlMs / 3), resolve))]);
  }
}
