import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import type { SnapshotEntry } from '@gantry/event-sourcing/snapshot-store.port';

/** Of one chunk before it is compressed: objects that entries share are stored, and kept in memory, once for each chunk. */
const CHUNK_CHARACTERS = 2 * 1024 * 1024;
/**
 * How long entries are turned into text, and how long everything else has its turn after that, milliseconds. What a service does for a
 * task waits for its event loop several times, each time for up to a slice: slices of 5 ms without rests made the p95 of submissions
 * six times as long for as long as the saving took.
 */
const SLICE_MS = 1;
const REST_MS = 1;
const NEW_LINE = 10;

interface ChunkHead {
  /** How many numbers at the end of each row, before the last one, are places in `parts`. */
  readonly shared: number;
  readonly parts: readonly object[];
  /** The own values, then the places of the shared objects, then the length of the text. */
  readonly rows: readonly unknown[][];
}

export interface Chunk {
  readonly text: string;
  readonly entries: number;
}

/** Chunks of entries; gives the event loop back after every slice of work, and rests for as long unless it is urgent. */
export async function* inChunks(
  entries: Iterable<SnapshotEntry>,
  isUrgent: () => boolean = () => false,
): AsyncGenerator<Chunk> {
  let chunk: ChunkWriter | undefined;
  let sliceEnd = performance.now() + SLICE_MS;
  for (const entry of entries) {
    if (chunk !== undefined && (chunk.characters >= CHUNK_CHARACTERS || chunk.shared !== entry.shared.length)) {
      yield chunk.finish();
      chunk = undefined;
      sliceEnd = performance.now() + SLICE_MS;
    }
    chunk ??= new ChunkWriter(entry.shared.length);
    chunk.add(entry);
    if (performance.now() < sliceEnd) continue;
    await (isUrgent() ? nextTurn() : wait(REST_MS));
    sliceEnd = performance.now() + SLICE_MS;
  }
  if (chunk !== undefined) yield chunk.finish();
}

/** A line of JSON, and behind it the texts of all entries. */
class ChunkWriter {
  characters = 0;
  private readonly rows: string[] = [];
  private readonly parts: string[] = [];
  private readonly texts: string[] = [];
  private readonly placeOfObject = new Map<object, number>();
  private readonly placeOfText = new Map<string, number>();

  constructor(readonly shared: number) {}

  add({ own, shared, text }: SnapshotEntry): void {
    const row = JSON.stringify([...own, ...shared.map((part) => this.place(part)), text.length]);
    this.rows.push(row);
    this.texts.push(text);
    this.characters += row.length + text.length;
  }

  finish(): Chunk {
    const head = `{"shared":${this.shared},"parts":[${this.parts.join(',')}],"rows":[${this.rows.join(',')}]}`;
    return { text: `${head}\n${this.texts.join('')}`, entries: this.rows.length };
  }

  private place(part: object): number {
    // What came out of a snapshot is one object for many entries, so that its text is seldom needed.
    const known = this.placeOfObject.get(part);
    if (known !== undefined) return known;
    const text = JSON.stringify(part);
    let place = this.placeOfText.get(text);
    if (place === undefined) {
      place = this.parts.length;
      this.parts.push(text);
      this.placeOfText.set(text, place);
      this.characters += text.length;
    }
    this.placeOfObject.set(part, place);
    return place;
  }
}

/** One by one, and made of what the parser has made: a million entries are mostly a matter of how many objects that takes. */
export function* readChunk(bytes: Buffer): Generator<SnapshotEntry> {
  const end = bytes.indexOf(NEW_LINE);
  const { shared: count, parts, rows } = JSON.parse(bytes.toString('utf8', 0, end)) as ChunkHead;
  // Each entry's text is a part of this one string, which is not copied and costs the garbage collector nothing.
  const texts = bytes.toString('utf8', end + 1);
  let at = 0;
  // Neighbours mostly share the same objects.
  let shared: object[] = new Array<object>(count);
  for (const row of rows) {
    const begin = at;
    at += row.pop() as number;
    for (let index = count - 1; index >= 0; index -= 1) {
      const part = parts[row.pop() as number]!;
      if (shared[index] === part) continue;
      shared = [...shared];
      shared[index] = part;
    }
    yield { own: row, shared, text: texts.slice(begin, at) };
  }
}
