import { streams } from '@gantry/contracts/messaging/streams';
import { ensureStream } from '@gantry/jetstream/stream-admin';
import type { Logger } from '@gantry/nest-platform/logger';
import type { NatsConnection } from '@nats-io/transport-node';
import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { TelemetryDatabase } from './adapters/out/telemetry-database.js';
import type { AppliedPositions } from './application/applied-positions.js';
import type { ReplayMissed } from './application/replay-missed.js';
import type { SampleRollUp } from './projections/samples/samples.roll-up.js';

/** A roll-up costs the engine the same however few samples are new. Pages get the newest samples pushed, and read short ranges from the samples. */
const TICK_MS = 6_000;
const HOURS_EVERY = 10;

interface Parts {
  nc: NatsConnection;
  database: TelemetryDatabase;
  positions: AppliedPositions;
  replay: ReplayMissed;
  rollUp: SampleRollUp;
  logger: Logger;
  stopping: AbortController;
  rebuild: boolean;
}

/** Order of start and end: streams of the agents, database, then what runs beside the consumers. */
export class TelemetryLifecycle implements OnModuleInit, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private ticks = 0;
  private ticking: Promise<void> = Promise.resolve();
  private rebuild: boolean;

  constructor(private readonly parts: Parts) {
    this.rebuild = parts.rebuild;
  }

  async onModuleInit(): Promise<void> {
    const { nc, database } = this.parts;
    // Agents own these two, but may not administrate streams.
    await ensureStream(nc, streams.metrics);
    await ensureStream(nc, streams.logs);
    database.onReady(() => this.fill());
    await database.start();
    this.timer = setTimeout(() => this.tick(), TICK_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    const { stopping, database, positions, rollUp, logger } = this.parts;
    stopping.abort();
    clearTimeout(this.timer);
    await this.ticking;
    try {
      await rollUp.flush(true);
      await positions.flush();
    } catch (error) {
      logger.warn({ err: error }, 'last roll-up not stored; the next start does it');
    }
    await database.close();
  }

  private async fill(): Promise<void> {
    const { replay, rollUp, stopping } = this.parts;
    try {
      await replay.run(this.rebuild);
      this.rebuild = false;
      await rollUp.catchUp();
    } catch (error) {
      if (!stopping.signal.aborted) throw error;
    }
  }

  private tick(): void {
    this.ticks += 1;
    this.ticking = this.sweep().finally(() => {
      if (!this.parts.stopping.signal.aborted) this.timer = setTimeout(() => this.tick(), TICK_MS);
    });
  }

  private async sweep(): Promise<void> {
    const { rollUp, positions, logger } = this.parts;
    try {
      await rollUp.flush(this.ticks % HOURS_EVERY === 0);
      await positions.flush();
    } catch (error) {
      logger.warn({ err: error }, 'roll-up not stored; trying again');
    }
  }
}
