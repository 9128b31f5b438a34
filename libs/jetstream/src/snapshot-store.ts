import { createHash, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, gunzip, gzip } from 'node:zlib';
import type {
  SavedSnapshot,
  SnapshotDraft,
  SnapshotStore,
  StoredSnapshot,
  StreamPositions,
} from '@gantry/event-sourcing/snapshot-store.port';
import { SnapshotPage } from '@gantry/event-sourcing/snapshot-page';
import type { KV, KvEntry } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { followStream } from './follow-stream.js';
import { isLostRace, openBucket } from './kv-lease.js';
import { inPages } from './snapshot-pages.js';
import { manager } from './stream-admin.js';
import { parseJsonBytes } from './stream-message.js';

/** Well under the broker's limit of 1 MiB a message. The client puts one that comes in many parts together in buffers that it has to make again and again. */
const PIECE_BYTES = 128 * 1024;
const PIECES_ON_THEIR_WAY = 64;
const EXPANDED_AHEAD = 3;
/** The least that zlib takes. */
const MIN_CHUNK_BYTES = 64;
/** What another writer left behind half done is cleared away after this. */
const ABANDONED_AFTER_MS = 3_600_000;

const compress = promisify(gzip);
const expand = promisify(gunzip);

/** The only key that readers start from; the chunks under its generation exist before it names them. */
const headSchema = z.object({
  version: z.number().int(),
  positions: z.record(
    z.string(),
    z.object({
      sequence: z.number().int(),
      commitId: z.string(),
      held: z
        .array(z.object({ subject: z.string(), sequence: z.number().int() }))
        .readonly()
        .exactOptional(),
    }),
  ),
  /** `<milliseconds of its begin>-<id>` */
  generation: z.string(),
  /** Each is a page; `bytes`: its size before it was compressed. */
  chunks: z.array(z.object({ pieces: z.number().int(), bytes: z.number().int(), sha256: z.string() })),
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

  async load(name: string, version: number): Promise<StoredSnapshot | undefined> {
    const kv = await this.open();
    for (;;) {
      const head = parseHead(await kv.get(headKey(name)));
      if (head?.version !== version) return undefined;
      const chunks = await this.readChunks(name, head);
      if (chunks !== undefined) return { positions: head.positions, pages: () => expanded(head, chunks) };
      // Replaced by a newer one while it was read: that one then. Otherwise it is damaged.
      if (parseHead(await kv.get(headKey(name)))?.generation === head.generation) return undefined;
    }
  }

  async save(
    name: string,
    version: number,
    { positions, entries, isUrgent }: SnapshotDraft,
    signal?: AbortSignal,
  ): Promise<SavedSnapshot | undefined> {
    const kv = await this.open();
    const present = await kv.get(headKey(name));
    const generation = `${Date.now()}-${randomUUID()}`;
    const chunks: Chunk[] = [];
    const saved = { entries: 0, bytes: 0 };
    try {
      for await (const page of inPages(entries, isUrgent)) {
        if (signal?.aborted === true) return await this.abandon(name, generation);
        const bytes = await compress(page.bytes, { level: constants.Z_BEST_SPEED });
        const pieces = Math.ceil(bytes.length / PIECE_BYTES);
        for (let piece = 0; piece < pieces; piece += 1)
          await kv.put(
            pieceKey(name, generation, chunks.length, piece),
            bytes.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES),
          );
        chunks.push({ pieces, bytes: page.bytes.length, sha256: sha256(bytes) });
        saved.entries += page.entries;
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

  /** All at once, in their order: asking for them one by one takes as long as taking them in. */
  private async readChunks(name: string, { generation, chunks }: Head): Promise<Buffer[] | undefined> {
    const pieces = new Map<string, Uint8Array>();
    const prefix = this.subject(pieceKey(name, generation, 0, 0)).slice(0, -'0.0'.length);
    const done = new AbortController();
    await followStream(this.nc, `KV_${this.bucket}`, {
      fromSequence: 1,
      filter: `${prefix}>`,
      onMessage: ({ subject, bytes }) => void pieces.set(subject.slice(prefix.length), bytes),
      onCaughtUp: () => done.abort(),
      signal: done.signal,
      prefetch: PIECES_ON_THEIR_WAY,
    });
    const found: Buffer[] = [];
    for (const [number, chunk] of chunks.entries()) {
      const parts = Array.from({ length: chunk.pieces }, (_, piece) => pieces.get(`${number}.${piece}`));
      const present = parts.filter((part) => part !== undefined);
      if (present.length < parts.length) return undefined;
      const bytes = Buffer.concat(present);
      if (sha256(bytes) !== chunk.sha256) return undefined;
      found.push(bytes);
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

/** Each chunk is expanded while those before it are taken in; that happens beside the event loop. */
async function* expanded({ chunks: sizes }: Head, chunks: readonly Buffer[]): AsyncGenerator<SnapshotPage> {
  const ahead: Promise<Buffer>[] = [];
  const begin = (index: number): void => {
    const chunk = chunks[index];
    if (chunk === undefined) return;
    // The page is kept, so its room must be no larger than it is; with one byte left nobody makes more for what does not come.
    const expanding = expand(chunk, { chunkSize: Math.max(MIN_CHUNK_BYTES, sizes[index]!.bytes + 1) });
    // Awaited in its turn; until then a failure must not count as one that nobody sees.
    expanding.catch(() => undefined);
    ahead.push(expanding);
  };
  for (let index = 0; index < EXPANDED_AHEAD; index += 1) begin(index);
  for (let index = 0; index < chunks.length; index += 1) {
    const bytes = await ahead.shift()!;
    begin(index + EXPANDED_AHEAD);
    yield SnapshotPage.read(bytes);
  }
}

function parseHead(entry: KvEntry | null): Head | undefined {
  if (entry?.operation !== 'PUT') return undefined;
  try {
    return headSchema.safeParse(parseJsonBytes(entry.value)).data;
  } catch {
    return undefined;
  }
}
