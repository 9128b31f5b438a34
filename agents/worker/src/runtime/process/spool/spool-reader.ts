import { closeSync, existsSync, type FSWatcher, openSync, readSync, rmSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { RawLine } from '../../../domain/logs/raw-line.js';
import { decodeFrames, LARGEST_FRAME_BYTES } from '../../../domain/logs/spool-frame.js';
import { SpoolLineDecoder } from '../../../domain/logs/spool-line.decoder.js';
import type { LogSink } from '../../container-runtime.port.js';
import { isAbandoned, segmentFile, segmentStarts, WRITER_FILE } from './spool-files.js';

/** Of all readers: what is read is decoded before anything else happens. */
const buffer = Buffer.allocUnsafe(LARGEST_FRAME_BYTES + 1024);
/** For what the watch has missed, and for what it never tells: that the writer is dead. */
const LOOK_AGAIN_MS = 500;
/** Where the kernel grants no more watches. */
const LOOK_WITHOUT_WATCH_MS = 50;
const RELEASE_EVERY_MS = 500;

/** How a reading came to its end: all was written, the writer died before that, or the reader was called off. */
export type SpoolEnd = 'over' | 'writer-lost' | 'called-off';

/** Reads a spool from a place on and follows it to its end. Removes from its front what the sink will never ask for again. */
export class SpoolReader {
  private readonly decoder = new SpoolLineDecoder();
  private file: number | undefined;
  private start = 0;
  private releasedAt = 0;
  private watcher: FSWatcher | undefined;
  private news: (() => void) | undefined;
  private fresh = false;
  private unwatched = false;
  /** At the place is something that cannot be read. */
  private damaged = false;

  constructor(
    private readonly folder: string,
    private place: number,
    private readonly sink: LogSink,
    private readonly signal: AbortSignal,
  ) {}

  async follow(): Promise<SpoolEnd> {
    const wake = (): void => this.wake();
    this.signal.addEventListener('abort', wake, { once: true });
    try {
      return await this.toTheEnd();
    } finally {
      this.signal.removeEventListener('abort', wake);
      this.watcher?.close();
      this.leaveFile();
    }
  }

  private async toTheEnd(): Promise<SpoolEnd> {
    for (let woken = false; !this.signal.aborted; woken = await this.awaitNews()) {
      // Asked before reading: only what is read after the writer's end can be all.
      const over = !existsSync(join(this.folder, WRITER_FILE));
      const lost = !over && !woken && isAbandoned(this.folder);
      this.fresh = false;
      while (this.damaged ? this.passDamage() : await this.readOnce()) if (this.signal.aborted) return 'called-off';
      if (over) return 'over';
      if (lost) return 'writer-lost';
      this.release();
    }
    return 'called-off';
  }

  /** False: there is nothing more at this moment. */
  private async readOnce(): Promise<boolean> {
    const file = this.openFile();
    if (file === undefined) return false;
    const lines: RawLine[] = [];
    let read: number;
    let taken: number;
    try {
      read = readSync(file, buffer, 0, buffer.length, this.place - this.start);
      taken = decodeFrames(buffer.subarray(0, read), (frame) => this.decoder.decode(frame, (line) => lines.push(line)));
    } catch (error) {
      this.damaged = true;
      const reason = (error as Error).message;
      await this.sink.mark(
        `What the task printed next is lost: it was kept on the worker's disk, and cannot be read there from byte ${this.place} on (${reason}).`,
      );
      return true;
    }
    this.place += taken;
    if (lines.length > 0) await this.sink.write(lines, { spool: this.place });
    if (taken > 0) return true;
    // A segment is named by where the one before it ends.
    const isLast = this.place === this.start || !existsSync(segmentFile(this.folder, this.place));
    if (read > 0 || isLast) return false;
    this.leaveFile();
    this.release();
    return true;
  }

  /** Goes on with the next segment. Nobody may stop reading: the task would wait for ever where it prints. */
  private passDamage(): boolean {
    const next = segmentStarts(this.folder).find((start) => start > this.place);
    if (next === undefined) return false;
    this.leaveFile();
    this.place = next;
    this.damaged = false;
    return true;
  }

  private openFile(): number | undefined {
    if (this.file !== undefined) return this.file;
    const starts = segmentStarts(this.folder);
    const start = starts.findLast((from) => from <= this.place);
    if (start === undefined) {
      if (starts.length === 0) return undefined;
      throw new Error('nobody knows how much of what is left of it was stored already.');
    }
    this.start = start;
    this.file = openSync(segmentFile(this.folder, start), 'r');
    return this.file;
  }

  private leaveFile(): void {
    if (this.file !== undefined) closeSync(this.file);
    this.file = undefined;
  }

  /** Resolves when something was written (true), or when it is time to look without that. */
  private async awaitNews(): Promise<boolean> {
    if (this.watcher === undefined && !this.unwatched) {
      this.startWatch();
      // What came before the watch is told by nobody.
      return true;
    }
    if (this.fresh || this.signal.aborted) return true;
    return new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), this.unwatched ? LOOK_WITHOUT_WATCH_MS : LOOK_AGAIN_MS);
      this.news = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  private startWatch(): void {
    try {
      this.watcher = watch(this.folder, { persistent: false }, () => this.wake());
      this.watcher.on('error', () => undefined);
    } catch {
      this.unwatched = true;
    }
  }

  private wake(): void {
    this.fresh = true;
    this.news?.();
  }

  /** Whole segments before the place from which even another life of the agent would read on. */
  private release(): void {
    if (this.start === 0 || performance.now() - this.releasedAt < RELEASE_EVERY_MS) return;
    this.releasedAt = performance.now();
    const kept = this.sink.keptCursor().spool ?? 0;
    const starts = segmentStarts(this.folder);
    for (const [index, start] of starts.entries()) {
      const end = starts[index + 1];
      if (end !== undefined && end <= kept) rmSync(segmentFile(this.folder, start), { force: true });
    }
  }
}
