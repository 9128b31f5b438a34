import { createHash, randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { constants, gunzip, gzip } from 'node:zlib';
import type {
  SavedSnapshot,
  SnapshotDraft,
  SnapshotStore,
  StoredSnapshot,
  StreamPositions,
} from '@gantry/event-sourcing/snapshot-store.port';
import type { KV, KvEntry } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { isLostRace, openBucket } from './kv-lease.js';
import { manager } from './stream-admin.js';
import { parseJsonBytes } from './stream-message.js';

/** Text of one chunk before it is compressed: small enough to be parsed in a few milliseconds. */
const CHUNK_CHARACTERS = 1024 * 1024;
/** Well under the broker's limit of 1 MiB a message. */
const PIECE_BYTES = 512 * 1024;
/** How long entries are turned into text before requests and messages get their turn again, milliseconds. */
const SLICE_MS = 5;
const READS_SIDE_BY_SIDE = 8;
/** What another writer left behind half done is cleared away after this. */
const ABANDONED_AFTER_MS = 3_600_000;

const compress = promisify(gzip);
const expand = promisify(gunzip);

/** The only key that readers start from; the chunks under its generation exist before it names them. */
const headSchema = z.object({
  version: z.number().int(),
  positions: z.record(z.string(), z.object({ sequence: z.number().int(), commitId: z.string() })),
  /** `<milliseconds of its begin>-<id>` */
  generation: z.string(),
  chunks: z.array(z.object({ pieces: z.number().int(), sha256: z.string() })),
});
type Head = z.infer<typeof headSchema>;
type Chunk = Head['chunks'][number];

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

  async positions(name: string, version: number): Promise<StreamPositions | undefined> {
    const head = parseHead(await (await this.open()).get(headKey(name)));
    return head?.version === version ? head.positions : undefined;
  }

  async load<Entry>(name: string, version: number): Promise<StoredSnapshot<Entry> | undefined> {
    const kv = await this.open();
    for (;;) {
      const head = parseHead(await kv.get(headKey(name)));
      if (head?.version !== version) return undefined;
      const chunks = await this.readChunks(kv, name, head);
      if (chunks !== undefined) return { positions: head.positions, batches: () => expanded<Entry>(chunks) };
      // Replaced by a newer one while it was read: that one then. Otherwise it is damaged.
      if (parseHead(await kv.get(headKey(name)))?.generation === head.generation) return undefined;
    }
  }

  async save<Entry>(
    name: string,
    version: number,
    { positions, entries }: SnapshotDraft<Entry>,
    signal?: AbortSignal,
  ): Promise<SavedSnapshot | undefined> {
    const kv = await this.open();
    const present = await kv.get(headKey(name));
    const generation = `${Date.now()}-${randomUUID()}`;
    const chunks: Chunk[] = [];
    const saved = { entries: 0, bytes: 0 };
    try {
      for await (const { text, count } of inChunks(entries)) {
        if (signal?.aborted === true) return await this.abandon(name, generation);
        const bytes = await compress(text, { level: constants.Z_BEST_SPEED });
        const pieces = Math.ceil(bytes.length / PIECE_BYTES);
        for (let piece = 0; piece < pieces; piece += 1)
          await kv.put(
            pieceKey(name, generation, chunks.length, piece),
            bytes.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES),
          );
        chunks.push({ pieces, sha256: sha256(bytes) });
        saved.entries += count;
        saved.bytes += bytes.length;
      }
      const head: Head = { version, positions, generation, chunks };
      await kv.put(headKey(name), JSON.stringify(head), { previousSeq: present?.revision ?? 0 });
    } catch (error) {
      await this.abandon(name, generation).catch(() => undefined);
      if (isLostRace(error)) return undefined;
      throw error;
    }
    await this.sweep(name, generation, parseHead(present)?.generation);
    return saved;
  }

  async forget(name: string): Promise<void> {
    await this.purge(`snapshot.${name}.>`);
  }

  private async readChunks(kv: KV, name: string, { generation, chunks }: Head): Promise<Buffer[] | undefined> {
    const found: Buffer[] = [];
    for (let begin = 0; begin < chunks.length; begin += READS_SIDE_BY_SIDE) {
      const some = chunks.slice(begin, begin + READS_SIDE_BY_SIDE);
      const read = await Promise.all(
        some.map((chunk, offset) => readChunk(kv, chunk, (piece) => pieceKey(name, generation, begin + offset, piece))),
      );
      for (const bytes of read) {
        if (bytes === undefined) return undefined;
        found.push(bytes);
      }
    }
    return found;
  }

  /** The replaced generation, and those that a crash left behind. */
  private async sweep(name: string, current: string, replaced: string | undefined): Promise<void> {
    const prefix = this.subject(`snapshot.${name}.`);
    const jsm = await manager(this.nc);
    const { state } = await jsm.streams.info(`KV_${this.bucket}`, { subjects_filter: `${prefix}>` });
    const generations = new Set(
      Object.keys(state.subjects ?? {}).map((subject) => subject.slice(prefix.length).split('.')[0] ?? ''),
    );
    for (const generation of generations) {
      const abandoned = Date.now() - Number(generation.split('-')[0]) > ABANDONED_AFTER_MS;
      if (generation !== current && (generation === replaced || abandoned)) await this.abandon(name, generation);
    }
  }

  private async abandon(name: string, generation: string): Promise<undefined> {
    await this.purge(`snapshot.${name}.${generation}.>`);
    return undefined;
  }

  /** Not the bucket's own delete: that leaves a marker for each key, for ever. */
  private async purge(keys: string): Promise<void> {
    const jsm = await manager(this.nc);
    await jsm.streams.purge(`KV_${this.bucket}`, { filter: this.subject(keys) });
  }

  private subject(keys: string): string {
    return `$KV.${this.bucket}.${keys}`;
  }

  private open(): Promise<KV> {
    this.opened ??= openBucket(this.nc, this.bucket);
    return this.opened;
  }
}

const headKey = (name: string): string => `snapshot.${name}.head`;
const pieceKey = (name: string, generation: string, chunk: number, piece: number): string =>
  `snapshot.${name}.${generation}.${chunk}.${piece}`;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** JSON arrays of entries; gives the event loop back after every few milliseconds of work. */
async function* inChunks<Entry>(entries: Iterable<Entry>): AsyncGenerator<{ text: string; count: number }> {
  let texts: string[] = [];
  let characters = 0;
  let sliceEnd = performance.now() + SLICE_MS;
  for (const entry of entries) {
    const text = JSON.stringify(entry);
    texts.push(text);
    characters += text.length;
    if (characters >= CHUNK_CHARACTERS) {
      yield { text: `[${texts.join(',')}]`, count: texts.length };
      texts = [];
      characters = 0;
    } else if (performance.now() >= sliceEnd) {
      await nextTurn();
    } else continue;
    sliceEnd = performance.now() + SLICE_MS;
  }
  if (texts.length > 0) yield { text: `[${texts.join(',')}]`, count: texts.length };
}

async function* expanded<Entry>(chunks: readonly Buffer[]): AsyncGenerator<readonly Entry[]> {
  for (const chunk of chunks) yield JSON.parse((await expand(chunk)).toString('utf8')) as Entry[];
}

async function readChunk(
  kv: KV,
  { pieces, sha256: expected }: Chunk,
  keyOf: (piece: number) => string,
): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = [];
  for (let piece = 0; piece < pieces; piece += 1) {
    const entry = await kv.get(keyOf(piece));
    if (entry?.operation !== 'PUT') return undefined;
    parts.push(entry.value);
  }
  const bytes = Buffer.concat(parts);
  return sha256(bytes) === expected ? bytes : undefined;
}

function parseHead(entry: KvEntry | null): Head | undefined {
  if (entry?.operation !== 'PUT') return undefined;
  try {
    return headSchema.safeParse(parseJsonBytes(entry.value)).data;
  } catch {
    return undefined;
  }
}
