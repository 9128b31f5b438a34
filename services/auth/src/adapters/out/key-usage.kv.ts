import { openBucket } from '@gantry/jetstream/kv-lease';
import type { NatsConnection } from '@nats-io/transport-node';
import type { KeyUsageStore } from '../../application/key-usage-store.port.js';

const BUCKET = 'auth';
const PREFIX = 'key-used.';

/** One small entry per key in the service's bucket, overwritten in place: it never grows with use. */
export class KvKeyUsageStore implements KeyUsageStore {
  private opened: ReturnType<typeof openBucket> | undefined;

  constructor(private readonly nc: NatsConnection) {}

  async load(): Promise<ReadonlyMap<string, number>> {
    const kv = await this.bucket();
    const times = new Map<string, number>();
    for await (const entry of await kv.history({ key: `${PREFIX}>` })) {
      const usedAt = Number(entry.string());
      if (entry.operation === 'PUT' && Number.isSafeInteger(usedAt)) times.set(entry.key.slice(PREFIX.length), usedAt);
    }
    return times;
  }

  async save(keyId: string, usedAt: number): Promise<void> {
    const kv = await this.bucket();
    await kv.put(`${PREFIX}${keyId}`, String(usedAt));
  }

  private bucket(): ReturnType<typeof openBucket> {
    this.opened ??= openBucket(this.nc, BUCKET).catch((error: unknown) => {
      this.opened = undefined;
      throw error;
    });
    return this.opened;
  }
}
