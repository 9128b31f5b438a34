import { randomUUID } from 'node:crypto';
import type { Clock } from '@gantry/kernel/clock';
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { type KV, Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { ConnectionState } from './connection-state.js';
import { pause } from './pause.js';
import { jetStreamOf } from './publisher.js';
import { replicasOf } from './stream-admin.js';
import { parseJsonBytes } from './stream-message.js';

export interface KvLeaseOptions {
  /** The owning service's bucket (its name), because its broker user may write no other. */
  bucket: string;
  key: string;
  /** Unique per process; a holder that comes back under its old name gets a new epoch all the same. */
  holder: string;
  /** How long a lease is good after the last renewal, milliseconds. Renew every third of it. */
  ttlMs: number;
  clock: Clock;
}

interface LeaseRecord {
  /** Empty = released. */
  holder: string;
  epoch: number;
  /** Unique per `KvLease`, so that two processes under one name are not taken for each other. */
  term: string;
}

const ATTEMPT_MS = 2_000;
const ATTEMPTS = 3;

/**
 * Leader election by compare-and-set on one key. No two clocks are compared: a challenger takes over only after it has seen
 * the record unchanged for a whole `ttlMs` on its own clock, and a holder stops trusting its lease `ttlMs` after it *sent* its
 * last renewal. What a late leader still writes is refused by the fence of the stream (see `epoch`).
 */
export class KvLease {
  private kv: KV | undefined;
  private readonly term = randomUUID();
  private revision = 0;
  private currentEpoch = 0;
  private validUntil = Number.NEGATIVE_INFINITY;
  private seen: { revision: number; at: number } | undefined;

  constructor(
    private readonly nc: NatsConnection,
    private readonly options: KvLeaseOptions,
  ) {}

  /** Grows with every new holder, from 1; 0 = never held here. */
  get epoch(): number {
    return this.currentEpoch;
  }

  /** True while this process may act as the leader. */
  get held(): boolean {
    return this.options.clock.now() < this.validUntil;
  }

  /** Tries once to become (or stay) the holder; call it again every third of `ttlMs`. */
  async acquire(): Promise<boolean> {
    if (this.held) return await this.renew();
    const { key, holder, ttlMs, clock } = this.options;
    const kv = await this.bucket();
    const entry = await kv.get(key);
    const asked = clock.now();
    if (entry === null || entry.operation !== 'PUT') return await this.take(kv, entry?.revision ?? 0, 1, asked);
    const record = parseJsonBytes(entry.value) as LeaseRecord;
    if (this.seen?.revision !== entry.revision) this.seen = { revision: entry.revision, at: asked };
    const free = record.holder === '' || record.holder === holder || asked - this.seen.at >= ttlMs;
    return free && (await this.take(kv, entry.revision, record.epoch + 1, asked));
  }

  /** Extends the lease; false (and no longer held) if somebody else has it. Throws if the broker does not answer. */
  async renew(): Promise<boolean> {
    if (this.revision === 0) return false;
    const kv = await this.bucket();
    return await this.write(
      kv,
      this.revision,
      { holder: this.options.holder, epoch: this.currentEpoch, term: this.term },
      this.options.clock.now(),
    );
  }

  /**
   * For a holder that meets a higher epoch than its own: goes on above that one if the lease is still its own, which means that the
   * record of earlier holders was lost or set back. False if it is not, because the higher epoch is that of a newer holder.
   */
  async raise(met: number): Promise<boolean> {
    if (this.revision === 0) return false;
    const kv = await this.bucket();
    const epoch = Math.max(met, this.currentEpoch) + 1;
    const { holder, clock } = this.options;
    return await this.write(kv, this.revision, { holder, epoch, term: this.term }, clock.now());
  }

  /** Gives the lease up, so that the next one need not wait. Harmless when it is not held. */
  async release(): Promise<void> {
    if (this.revision === 0) return;
    const kv = await this.bucket();
    const { revision } = this;
    this.forget();
    try {
      await kv.put(this.options.key, JSON.stringify({ holder: '', epoch: this.currentEpoch, term: this.term }), {
        previousSeq: revision,
      });
    } catch (error) {
      if (!isLostRace(error)) throw error;
    }
  }

  private take(kv: KV, revision: number, epoch: number, asked: number): Promise<boolean> {
    return this.write(kv, revision, { holder: this.options.holder, epoch, term: this.term }, asked);
  }

  private async write(kv: KV, revision: number, record: LeaseRecord, asked: number): Promise<boolean> {
    const revisionNow = await this.put(kv, revision, record);
    if (revisionNow === undefined) {
      this.forget();
      return false;
    }
    this.revision = revisionNow;
    this.currentEpoch = record.epoch;
    this.validUntil = asked + this.options.ttlMs;
    return true;
  }

  /** The new revision; undefined if the race is lost. Throws if the broker stays away. */
  private async put(kv: KV, revision: number, record: LeaseRecord): Promise<number | undefined> {
    const { key } = this.options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await ConnectionState.of(this.nc).settle(ATTEMPT_MS);
        return await kv.put(key, JSON.stringify(record), { previousSeq: revision, timeout: ATTEMPT_MS });
      } catch (error) {
        if (isLostRace(error)) break;
        if (attempt === ATTEMPTS || this.nc.isClosed()) throw error;
      }
      await pause(50);
    }
    // An earlier attempt may have been stored although its answer was lost: then the winner of the race is us.
    const entry = await kv.get(key);
    if (entry === null || entry.operation !== 'PUT') return undefined;
    const winner = parseJsonBytes(entry.value) as LeaseRecord;
    return winner.holder === record.holder && winner.epoch === record.epoch && winner.term === record.term
      ? entry.revision
      : undefined;
  }

  private forget(): void {
    this.revision = 0;
    this.validUntil = Number.NEGATIVE_INFINITY;
    this.seen = undefined;
  }

  private async bucket(): Promise<KV> {
    this.kv ??= await openBucket(this.nc, this.options.bucket);
    return this.kv;
  }
}

/** A bucket of one service, made at first use. Reads go to the leader: a follower's answer may be old. */
export function openBucket(nc: NatsConnection, name: string): Promise<KV> {
  return new Kvm(jetStreamOf(nc)).create(name, { history: 1, allow_direct: false, replicas: replicasOf(nc) });
}

export function isLostRace(error: unknown): boolean {
  return (
    error instanceof JetStreamApiError &&
    (error.code === JetStreamApiCodes.StreamWrongLastSequence ||
      error.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown)
  );
}
