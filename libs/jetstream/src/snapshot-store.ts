import { createHash, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Snapshot, SnapshotStore } from '@gantry/event-sourcing/snapshot-store.port';
import type { KV, KvEntry } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { isLostRace, openBucket } from './kv-lease.js';
import { parseJsonBytes } from './stream-message.js';

/** Well under the broker's limit of 1 MiB a message. */
const CHUNK_BYTES = 512 * 1024;
const compress = promisify(gzip);
const expand = promisify(gunzip);

/** The only key that readers start from; the chunks under it exist before it names them. */
const headSchema = z.object({
  version: z.number().int(),
  sequence: z.number().int(),
  generation: z.string(),
  chunks: z.number().int(),
  sha256: z.string(),
});
type Head = z.infer<typeof headSchema>;

/**
 * Snapshots in a KV bucket of the owning service, compressed and in chunks, so that they need no disk of their own and move
 * with the service. Written chunks first, then the head by compare-and-set: of two writers one wins whole.
 */
export class KvSnapshotStore implements SnapshotStore {
  private opened: Promise<KV> | undefined;

  constructor(
    private readonly nc: NatsConnection,
    /** The service's bucket (its name), because its broker user may write no other. */
    private readonly bucket: string,
  ) {}

  async load<State>(name: string, version: number): Promise<Snapshot<State> | undefined> {
    const kv = await this.open();
    const head = parseHead(await kv.get(headKey(name)));
    if (head === undefined || head.version !== version) return undefined;
    const chunks: Uint8Array[] = [];
    for (let index = 0; index < head.chunks; index += 1) {
      const entry = await kv.get(chunkKey(name, head.generation, index));
      // Replaced by a newer snapshot while we read.
      if (entry === null || entry.operation !== 'PUT') return undefined;
      chunks.push(entry.value);
    }
    const bytes = Buffer.concat(chunks);
    if (sha256(bytes) !== head.sha256) return undefined;
    return { sequence: head.sequence, state: JSON.parse((await expand(bytes)).toString('utf8')) as State };
  }

  async save<State>(name: string, version: number, { sequence, state }: Snapshot<State>): Promise<void> {
    const kv = await this.open();
    const present = await kv.get(headKey(name));
    const old = parseHead(present);
    if (old !== undefined && old.version === version && old.sequence > sequence) return;
    const bytes = await compress(JSON.stringify(state));
    const generation = randomUUID();
    const chunks = Math.max(1, Math.ceil(bytes.length / CHUNK_BYTES));
    for (let index = 0; index < chunks; index += 1) {
      await kv.put(chunkKey(name, generation, index), bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES));
    }
    const head: Head = { version, sequence, generation, chunks, sha256: sha256(bytes) };
    try {
      await kv.put(headKey(name), JSON.stringify(head), { previousSeq: present?.revision ?? 0 });
    } catch (error) {
      await this.drop(kv, name, head);
      if (isLostRace(error)) return;
      throw error;
    }
    if (old !== undefined) await this.drop(kv, name, old);
  }

  private async drop(kv: KV, name: string, { generation, chunks }: Head): Promise<void> {
    for (let index = 0; index < chunks; index += 1) await kv.delete(chunkKey(name, generation, index));
  }

  private open(): Promise<KV> {
    this.opened ??= openBucket(this.nc, this.bucket);
    return this.opened;
  }
}

const headKey = (name: string): string => `snapshot.${name}.head`;
const chunkKey = (name: string, generation: string, index: number): string => `snapshot.${name}.${generation}.${index}`;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function parseHead(entry: KvEntry | null): Head | undefined {
  if (entry === null || entry.operation !== 'PUT') return undefined;
  try {
    return headSchema.safeParse(parseJsonBytes(entry.value)).data;
  } catch {
    return undefined;
  }
}
