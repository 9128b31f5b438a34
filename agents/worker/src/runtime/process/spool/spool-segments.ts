import { closeSync, existsSync, ftruncateSync, openSync, writevSync } from 'node:fs';
import { segmentFile } from './spool-files.js';

const LARGEST_SEGMENT_BYTES = 8 * 1024 * 1024;
/** The reader removes whole segments only: with several of them, room comes long before all has been read. */
const SEGMENTS = 8;

/** The writer's side of a spool: appends to the newest segment and begins another one when it is large enough. */
export class SpoolSegments {
  private readonly segmentBytes: number;
  private readonly starts: number[] = [];
  private file: number | undefined;
  private end = 0;

  constructor(
    private readonly folder: string,
    private readonly limitBytes: number,
  ) {
    this.segmentBytes = Math.min(LARGEST_SEGMENT_BYTES, Math.ceil(limitBytes / SEGMENTS));
  }

  /** True while what nobody has removed yet is as much as may be kept. */
  isFull(): boolean {
    if (this.end - (this.starts[0] ?? 0) < this.limitBytes) return false;
    while (this.starts.length > 1 && !existsSync(segmentFile(this.folder, this.starts[0] ?? 0))) this.starts.shift();
    return this.end - (this.starts[0] ?? 0) >= this.limitBytes;
  }

  /** All of it or nothing: throws what the system says, and then the same may be tried again. */
  append(buffers: readonly Buffer[]): void {
    const file = this.newest();
    const begin = this.end - (this.starts.at(-1) ?? 0);
    let rest = buffers;
    let place = begin;
    try {
      while (rest.length > 0) {
        const written = writevSync(file, rest, place);
        place += written;
        rest = without(rest, written);
      }
    } catch (error) {
      // Making a file shorter needs no room.
      ftruncateSync(file, begin);
      throw error;
    }
    this.end += place - begin;
  }

  close(): void {
    if (this.file !== undefined) closeSync(this.file);
    this.file = undefined;
  }

  private newest(): number {
    const start = this.starts.at(-1);
    if (this.file !== undefined && start !== undefined && this.end - start < this.segmentBytes) return this.file;
    const file = openSync(segmentFile(this.folder, this.end), 'w', 0o600);
    this.close();
    this.file = file;
    if (start !== this.end) this.starts.push(this.end);
    return file;
  }
}

function without(buffers: readonly Buffer[], bytes: number): Buffer[] {
  let skip = bytes;
  return buffers.flatMap((buffer) => {
    const skipped = Math.min(skip, buffer.length);
    skip -= skipped;
    return skipped === buffer.length ? [] : [buffer.subarray(skipped)];
  });
}
