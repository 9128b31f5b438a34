import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { FrameStream } from '../../../domain/logs/log-frame.parser.js';
import { OutputCutter } from '../../../domain/logs/output-cutter.js';
import { encodeFrame, type SpoolFrame } from '../../../domain/logs/spool-frame.js';
import { identityOf } from '../../../keeper/process-identity.js';
import { WRITER_FILE } from './spool-files.js';
import { SpoolSegments } from './spool-segments.js';

/** The first bytes after a silence are written at once; what follows within this time is written together. */
const GATHER_MS = 10;
const GATHER_BYTES = 256 * 1024;
/** Between two looks whether there is room again. */
const FULL_MS = 50;
const BROKEN_MS = 500;

export interface AttemptSpoolOptions {
  readonly folder: string;
  readonly limitBytes: number;
  /** Why the disk takes nothing (`ENOSPC`); undefined = it does again. */
  tell(problem: string | undefined): void;
  /** Nothing is open and nothing is left to write. `over`: nothing will ever come, because both streams have ended. */
  onIdle(over: boolean): void;
}

/**
 * Keeps the output of one sandbox on disk. Where it cannot, because the limit is reached or the disk is full, it stops reading, so
 * that the sandbox waits in its `write` and nothing is lost.
 */
export class AttemptSpool {
  private readonly segments: SpoolSegments;
  private readonly outputs = new Set<Readable>();
  private readonly ended = new Set<FrameStream>();
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private timer: NodeJS.Timeout | undefined;
  private stuck = false;
  private flushedAt = Number.NEGATIVE_INFINITY;
  private told: string | undefined;
  /** Nobody removes what was read any more: the rest is written whatever the limit says. */
  limited = true;

  /** Throws if the folder cannot be written. */
  constructor(private readonly options: AttemptSpoolOptions) {
    this.segments = new SpoolSegments(options.folder, options.limitBytes);
    writeFileSync(join(options.folder, WRITER_FILE), JSON.stringify(identityOf(process.pid)), { mode: 0o600 });
  }

  get isIdle(): boolean {
    return this.outputs.size === 0 && this.pendingBytes === 0;
  }

  attach(stream: FrameStream, output: Readable): void {
    this.outputs.add(output);
    const cutter = new OutputCutter(stream, this.take);
    // One that breaks is one that ends.
    output.on('error', () => undefined);
    output.on('data', (bytes: Buffer) => {
      cutter.push(bytes, Date.now());
      this.flushSoon();
    });
    output.once('close', () => {
      this.outputs.delete(output);
      cutter.finish(Date.now());
      this.ended.add(stream);
      if (!this.stuck) this.flush();
    });
    if (this.stuck) output.pause();
  }

  private readonly take = (frame: SpoolFrame): void => {
    for (const buffer of encodeFrame(frame)) {
      this.pending.push(buffer);
      this.pendingBytes += buffer.length;
    }
  };

  private flushSoon(): void {
    if (this.pendingBytes === 0) return;
    if (this.stuck) {
      if (this.pendingBytes >= GATHER_BYTES) for (const output of this.outputs) output.pause();
      return;
    }
    if (this.pendingBytes >= GATHER_BYTES || performance.now() - this.flushedAt >= GATHER_MS) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.stuck = false;
    if (this.pendingBytes > 0 && !this.write()) return;
    for (const output of this.outputs) output.resume();
    if (!this.isIdle) return;
    const over = this.ended.size === 2;
    if (over) this.close();
    this.options.onIdle(over);
  }

  /** Says that nothing more will come. */
  close(): void {
    this.segments.close();
    rmSync(join(this.options.folder, WRITER_FILE), { force: true });
  }

  private write(): boolean {
    if (this.limited && this.segments.isFull()) return this.tryAgainIn(FULL_MS);
    try {
      this.segments.append(this.pending);
    } catch (error) {
      const { code = 'EIO' } = error as NodeJS.ErrnoException;
      // The attempt was removed: nobody will ever read it.
      if (code !== 'ENOENT') return this.tryAgainIn(BROKEN_MS, code);
    }
    this.tell(undefined);
    this.pending = [];
    this.pendingBytes = 0;
    this.flushedAt = performance.now();
    return true;
  }

  private tryAgainIn(milliseconds: number, problem?: string): false {
    this.stuck = true;
    if (this.pendingBytes >= GATHER_BYTES) for (const output of this.outputs) output.pause();
    this.timer = setTimeout(() => this.flush(), milliseconds);
    if (problem !== undefined) this.tell(problem);
    return false;
  }

  private tell(problem: string | undefined): void {
    if (problem === this.told) return;
    this.told = problem;
    this.options.tell(problem);
  }
}
