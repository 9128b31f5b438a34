import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { timing } from '@gantry/contracts/messaging/timing';
import { pause } from '@gantry/jetstream/pause';
import type { Logger } from '@gantry/nest-platform/logger';
import type { BootClock } from '../session/boot-clock.js';
import { KEEPER_VERSION, keeperFiles, type KeeperOrders, type KeeperSign, type KeptAttempt } from './keeper-orders.js';
import { identityOf, isAlive } from './process-identity.js';

const LOOK_AFTER_MS = 500;
/** A keeper that says nothing for so long is frozen; another one is started in its place. */
const SILENT_MS = 5_000;
const START_MS = 5_000;
/** News that takes nothing from the keeper's readiness waits so long for the next start, which writes everything anyway. */
const WRITE_WITHIN_MS = 250;
/** In memory on most machines, so that a full disk cannot keep renewals from the keeper. */
const RUN_FOLDER = '/run/gantry';

export interface KeeperLinkOptions {
  readonly workerId: string;
  /** The agent's own: names this agent, and holds the orders where there is no folder for run-time files. */
  readonly dataFolder: string;
  readonly bootClock: BootClock;
  /** The keeper's main file. */
  readonly program: string;
  readonly logger: Logger;
  /** As of the start: what an earlier life of the agent left running, and when it was last renewed. */
  readonly attempts: readonly KeptAttempt[];
  readonly renewedAt: number;
}

/** The agent's side of its lease keeper: writes the orders and sees to it that there is one keeper, found again or started anew. */
export class KeeperLink {
  private readonly folder: string;
  private readonly agent = identityOf(process.pid);
  private readonly attempts: Map<string, KeptAttempt>;
  private renewedAt: number;
  private timer: NodeJS.Timeout | undefined;
  private spawnedAt = Number.NEGATIVE_INFINITY;
  private waiting: NodeJS.Timeout | undefined;

  private constructor(private readonly options: KeeperLinkOptions) {
    this.attempts = new Map(options.attempts.map((attempt) => [attempt.containerId, attempt]));
    this.renewedAt = options.renewedAt;
    this.folder = runFolder(options);
  }

  /** Resolves when the keeper watches. If none can be started this is said, and tried on. */
  static async open(options: KeeperLinkOptions): Promise<KeeperLink> {
    const link = new KeeperLink(options);
    link.write();
    link.ensure();
    const deadline = performance.now() + START_MS;
    while (!link.isWatched() && performance.now() < deadline) await pause(20);
    if (!link.isWatched())
      options.logger.error(
        { program: options.program },
        'the lease keeper did not start: while this agent is dead or frozen its tasks may run on after their lease',
      );
    link.timer = setInterval(() => link.ensure(), LOOK_AFTER_MS);
    link.timer.unref();
    return link;
  }

  /** Before the start: from now on nothing in the group outlives the lease. */
  keep(attempt: KeptAttempt): void {
    // An attempt that is made anew after a restart has lost its first container.
    for (const { containerId, mark } of this.attempts.values())
      if (mark === attempt.mark) this.attempts.delete(containerId);
    this.attempts.set(attempt.containerId, attempt);
    this.write();
  }

  /** At once: a keeper that did not hear of it before the agent died waits an hour for a start that has happened. */
  confirm(containerId: string): void {
    const attempt = this.attempts.get(containerId);
    if (attempt === undefined) return;
    this.attempts.set(containerId, { ...attempt, started: true });
    this.write();
  }

  /** The container is removed: nothing of it can run again. */
  forget(containerId: string): void {
    if (this.attempts.delete(containerId)) this.writeSoon();
  }

  renew(renewedAt: number): void {
    this.renewedAt = renewedAt;
    this.write();
  }

  /** True if the keeper has ended it. */
  hasEnded(containerId: string): boolean {
    const mark = this.attempts.get(containerId)?.mark;
    return mark !== undefined && existsSync(mark);
  }

  /** The keeper stays for as long as there is something to be kept. */
  close(): void {
    clearInterval(this.timer);
    if (this.waiting !== undefined) this.write();
  }

  private writeSoon(): void {
    this.waiting ??= setTimeout(() => this.write(), WRITE_WITHIN_MS);
  }

  private write(): void {
    clearTimeout(this.waiting);
    this.waiting = undefined;
    const { agent, renewedAt } = this;
    if (agent === undefined) return;
    const { bootId } = this.options.bootClock;
    const orders: KeeperOrders = {
      version: KEEPER_VERSION,
      agent,
      bootId,
      renewedAt,
      attempts: [...this.attempts.values()],
    };
    const file = join(this.folder, keeperFiles.orders);
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      writeFileSync(`${file}.new`, JSON.stringify(orders), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    } catch (error) {
      this.options.logger.error(
        { err: error, file },
        'the lease keeper cannot be told; containers end with their lease',
      );
    }
  }

  private ensure(): void {
    if (this.isWatched() || performance.now() - this.spawnedAt < START_MS) return;
    const last = this.readSign();
    if (last !== undefined && isAlive(last)) process.kill(last.pid, 'SIGKILL');
    if (this.timer !== undefined) this.options.logger.warn('the lease keeper is gone or frozen; starting another');
    this.spawnedAt = performance.now();
    // It may have removed the folder when it went.
    this.write();
    const { program, logger } = this.options;
    const child = spawn(
      process.execPath,
      ['--max-old-space-size=32', '--max-semi-space-size=1', program, this.folder, String(timing.keeperCheckMs)],
      // Of a session of its own: what ends the agent's terminal or process group passes it by.
      { detached: true, stdio: 'ignore', env: {}, cwd: '/' },
    );
    child.once('error', (error) => logger.error({ err: error }, 'the lease keeper could not be started'));
    child.once('exit', () => {
      this.spawnedAt = Number.NEGATIVE_INFINITY;
    });
    child.unref();
  }

  private isWatched(): boolean {
    const sign = this.readSign();
    return (
      sign !== undefined &&
      sign.version === KEEPER_VERSION &&
      this.options.bootClock.now() - sign.at < SILENT_MS &&
      isAlive(sign)
    );
  }

  private readSign(): KeeperSign | undefined {
    try {
      return JSON.parse(readFileSync(join(this.folder, keeperFiles.sign), 'utf8')) as KeeperSign;
    } catch {
      return undefined;
    }
  }
}

function runFolder({ workerId, dataFolder }: KeeperLinkOptions): string {
  try {
    mkdirSync(RUN_FOLDER, { recursive: true, mode: 0o700 });
    accessSync(RUN_FOLDER, constants.W_OK);
    const name = createHash('sha256').update(dataFolder).digest('hex').slice(0, 12);
    return join(RUN_FOLDER, `${workerId}-${name}`);
  } catch {
    return join(dataFolder, 'lease-keeper');
  }
}
