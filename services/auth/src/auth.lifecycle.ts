import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { streams } from '@gantry/contracts/messaging/streams';
import { ensureStream } from '@gantry/jetstream/stream-admin';
import { KvLease } from '@gantry/jetstream/kv-lease';
import { StreamBarrier } from '@gantry/jetstream/stream-barrier';
import type { HealthState } from '@gantry/nest-platform/health';
import type { Logger } from '@gantry/nest-platform/logger';
import { HEALTH, LOGGER, NATS_CONNECTION } from '@gantry/nest-platform/tokens';
import type { NatsConnection } from '@nats-io/transport-node';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { AuthApplication } from './auth.application.js';
import { AUTH_SETTINGS, type AuthSettings } from './auth.tokens.js';

const SWEEP_EVERY_MS = 60_000;
const FLUSH_EVERY_MS = 15_000;
/** Longer than a password takes to be hashed and stored; a crash in its turn delays the other replicas by as much. */
const FIRST_ADMIN_TURN_MS = 5_000;

/** Catches up before the first request is served, and keeps the periodic work going until shutdown. */
@Injectable()
export class AuthLifecycle implements OnModuleInit, OnApplicationShutdown {
  private readonly stopping = new AbortController();
  private following: Promise<void> = Promise.resolve();
  private timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly application: AuthApplication,
    private readonly barrier: StreamBarrier,
    @Inject(AUTH_SETTINGS) private readonly settings: AuthSettings,
    @Inject(NATS_CONNECTION) private readonly nc: NatsConnection,
    @Inject(HEALTH) private readonly health: HealthState,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onModuleInit(): Promise<void> {
    this.health.set('directory', 'unhealthy', 'is reading the AUTH stream');
    await ensureStream(this.nc, streams.auth);
    await this.application.keyUsage.exchange();
    await this.catchUp();
    this.health.set('directory', 'healthy');
    await this.ensureFirstAdmin();
    this.timers = [
      this.every(SWEEP_EVERY_MS, 'session sweep failed', async () => {
        const ended = await this.application.expireSessions.handle();
        if (ended > 0) this.logger.info({ ended }, 'expired sessions ended');
      }),
      this.every(FLUSH_EVERY_MS, 'key usage exchange failed', () => this.application.keyUsage.exchange()),
    ];
  }

  async onApplicationShutdown(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await this.application.keyUsage
      .exchange()
      .catch((error: unknown) => this.logger.warn({ err: error }, 'key usage exchange failed'));
    this.stopping.abort();
    await this.following;
  }

  private async catchUp(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      let caughtUp = false;
      const onCaughtUp = () => {
        caughtUp = true;
        resolve();
      };
      const onTakenIn = (sequence: number) => this.barrier.advance(sequence);
      this.following = this.application.follow(onCaughtUp, this.stopping.signal, onTakenIn).catch((error: unknown) => {
        if (this.stopping.signal.aborted) return;
        if (!caughtUp) return reject(new Error('the AUTH stream cannot be read', { cause: error }));
        this.health.set('directory', 'unhealthy', 'stopped reading the AUTH stream');
        // A directory that stands still would go on accepting revoked keys: better to end and be started anew.
        setImmediate(() => {
          throw error;
        });
      });
    });
    this.logger.info({ sequence: this.application.directory.appliedSequence }, 'directory caught up');
  }

  /**
   * By one replica at a time: each would make a password of its own and show it, and only one of them would be true. The
   * others wait, and find the admin.
   */
  private async ensureFirstAdmin(): Promise<void> {
    if (this.application.directory.hasAdmin()) return;
    const lease = new KvLease(this.nc, {
      bucket: 'auth',
      key: 'first-admin',
      holder: randomUUID(),
      ttlMs: FIRST_ADMIN_TURN_MS,
      clock: { now: () => performance.now() },
    });
    while (!(await lease.acquire())) await pause(100);
    try {
      await this.barrier.reach();
      await this.registerFirstAdmin();
    } finally {
      await lease.release();
    }
  }

  private async registerFirstAdmin(): Promise<void> {
    const { GANTRY_ADMIN_EMAIL: email, GANTRY_ADMIN_PASSWORD: password } = this.settings;
    const outcome = await this.application.ensureFirstAdmin.handle({
      email,
      ...(password === undefined ? {} : { password }),
    });
    if (outcome === 'registered') this.logger.info({ email }, 'first admin registered');
    if (outcome === 'email_taken') {
      this.logger.error(
        { email },
        'no admin exists and the address of the first admin belongs to a user: set GANTRY_ADMIN_EMAIL to another one',
      );
    }
  }

  private every(periodMs: number, failure: string, work: () => Promise<void>): NodeJS.Timeout {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      work()
        .catch((error: unknown) => this.logger.warn({ err: error }, failure))
        .finally(() => {
          busy = false;
        });
    }, periodMs);
    timer.unref();
    return timer;
  }
}
