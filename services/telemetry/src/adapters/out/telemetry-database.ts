import { setTimeout as wait } from 'node:timers/promises';
import type { ClickHouse } from '@gantry/clickhouse/clickhouse';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { HealthState } from '@gantry/nest-platform/health';
import type { Logger } from '@gantry/nest-platform/logger';
import type { Database } from '../../application/database.port.js';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** With this much room a full disk counts as free again. */
const ENOUGH_BYTES = 16 * 1024 * 1024;
const ROOM_CHECK_MS = 1_000;

interface Options {
  connect(): ClickHouse;
  /** Makes the tables. Runs after every loss, so a database that comes back empty is set up again. */
  prepare(clickhouse: ClickHouse): Promise<void>;
  health: HealthState;
  logger: Logger;
}

/**
 * ClickHouse may be away at any time, also at the start: then calls fail at once with a retryable error (messages stay in
 * their streams), health says so, and a loop in here brings the connection and the tables back. With a full disk writes fail
 * the same way while reads go on.
 */
export class TelemetryDatabase implements Database {
  private clickhouse: ClickHouse | undefined;
  private state: 'starting' | 'ready' | 'closed' = 'starting';
  private recovery: Promise<void> | undefined;
  private waitingForRoom: Promise<void> | undefined;
  private readonly closing = new AbortController();
  private readonly listeners: (() => Promise<void>)[] = [];

  constructor(private readonly options: Options) {}

  /** `listener` runs in the background each time the database became usable. */
  onReady(listener: () => Promise<void>): void {
    this.listeners.push(listener);
  }

  /** Resolves after the first attempt, whether it succeeded or goes on in the background. */
  async start(): Promise<void> {
    if (!(await this.attempt())) this.recover();
  }

  async use<T>(work: (clickhouse: ClickHouse) => Promise<T>): Promise<T> {
    if (this.state !== 'ready' || this.clickhouse === undefined) throw unavailable();
    try {
      return await work(this.clickhouse);
    } catch (error) {
      if (error instanceof GantryError && error.code === 'CLICKHOUSE.FULL') this.full(error);
      else if (error instanceof GantryError && error.kind === 'unavailable') this.lost(error);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.state = 'closed';
    this.closing.abort();
    await Promise.all([this.recovery, this.waitingForRoom]);
    await this.clickhouse?.close();
  }

  private lost(error: GantryError): void {
    if (this.state !== 'ready') return;
    this.state = 'starting';
    this.complain(error);
    this.recover();
  }

  private full(error: GantryError): void {
    if (this.state !== 'ready' || this.waitingForRoom !== undefined) return;
    this.complain(error);
    this.waitingForRoom = this.waitForRoom().finally(() => {
      this.waitingForRoom = undefined;
    });
  }

  private async waitForRoom(): Promise<void> {
    do await this.pause(ROOM_CHECK_MS);
    while (this.state === 'ready' && !(await this.hasRoom()));
    if (this.state === 'ready') this.options.health.set('clickhouse', 'healthy');
  }

  private async hasRoom(): Promise<boolean> {
    const free = await this.use((clickhouse) => clickhouse.freeBytes()).catch(() => 0);
    return free >= ENOUGH_BYTES;
  }

  private recover(): void {
    this.recovery ??= this.recoverLoop().finally(() => {
      this.recovery = undefined;
    });
  }

  private async recoverLoop(): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; this.state === 'starting'; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      await this.pause(pauseMs);
      if (this.state === 'starting') await this.attempt();
    }
  }

  private async attempt(): Promise<boolean> {
    try {
      this.clickhouse ??= this.options.connect();
      await this.options.prepare(this.clickhouse);
    } catch (error) {
      this.complain(error);
      return false;
    }
    if (this.state === 'closed') return true;
    this.state = 'ready';
    this.options.health.set('clickhouse', 'healthy');
    this.options.logger.info({ embedded: this.clickhouse.embedded }, 'clickhouse is ready');
    for (const listener of this.listeners) {
      listener().catch((error: unknown) =>
        this.options.logger.error({ err: error }, 'work after the start of clickhouse failed'),
      );
    }
    return true;
  }

  private complain(error: unknown): void {
    const passing = error instanceof GantryError && error.retryable;
    const reason = error instanceof Error ? error.message : 'ClickHouse cannot be used.';
    this.options.health.set('clickhouse', passing ? 'degraded' : 'unhealthy', reason);
    this.options.logger.warn({ err: error }, 'clickhouse cannot be used now; trying again');
  }

  /** Ends early when the service stops. */
  private async pause(milliseconds: number): Promise<void> {
    await wait(milliseconds, undefined, { signal: this.closing.signal }).catch(() => undefined);
  }
}

function unavailable(): GantryError {
  return new GantryError(
    'CLICKHOUSE.UNAVAILABLE',
    'unavailable',
    'ClickHouse is not ready. Lists of active tasks still work; history, search, logs and charts come back with it.',
    { retryable: true },
  );
}
