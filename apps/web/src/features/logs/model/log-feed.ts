import type { LogLineFieldsFragment, LogStream } from '@/gql/graphql';
import { problemOf, type Problem } from '@/lib/problem';
import { LogBuffer } from './log-buffer';
import { allStreams, LogIndex } from './log-index';

export interface LogPage {
  readonly attempt: number | null;
  readonly lines: readonly LogLineFieldsFragment[];
  readonly lastSeq: number;
  readonly complete: boolean;
}

export interface LogBatch {
  readonly attempt: number;
  readonly lines: readonly LogLineFieldsFragment[];
  readonly complete: boolean;
}

export interface LogPorts {
  /** The newest lines, or those after a seq. */
  readPage(request: { tail: true; limit: number } | { afterSeq: number; limit: number }): Promise<LogPage>;
  /** Live lines. `afterSeq` is asked at every (re)connection, so a resumed stream goes on where we are. */
  follow(afterSeq: () => number, onBatch: (batch: LogBatch) => void, onEnd: (error?: unknown) => void): () => void;
  /** Runs `work` before the next frame is painted. */
  onFrame(work: () => void): void;
}

export interface LogSnapshot {
  /** Grows with every change that can be seen. */
  readonly revision: number;
  readonly phase: 'loading' | 'live' | 'complete' | 'failed';
  readonly problem: Problem | null;
  /** Rows beyond this seq are held back while paused. */
  readonly shownTo: number;
  readonly paused: boolean;
  readonly waiting: number;
  /** Per cent of the log that filter and search have seen; 100 = all of it. */
  readonly searched: number;
  /** The start of the kept part: rows shift when it moves. */
  readonly firstSeq: number;
}

const TAIL_LINES = 2_000;
/** The most that the API gives at once. */
const PAGE_LINES = 10_000;
/** Lines scanned for filter and search per frame: about 5 ms. */
const SCAN_PER_FRAME = 20_000;

/**
 * The log of one attempt, outside React: newest lines first, the rest on demand, live lines as they come. Whatever arrives
 * between two frames is shown by one update.
 */
export class LogFeed {
  readonly buffer: LogBuffer;
  index: LogIndex;
  private snapshot: LogSnapshot;
  private readonly listeners = new Set<() => void>();
  private phase: LogSnapshot['phase'] = 'loading';
  private problem: Problem | null = null;
  private pausedAt: number | null = null;
  private stopFollowing: (() => void) | undefined;
  private flushing = false;
  private closed = false;
  private reading = false;
  private wanted: { from: number; to: number } | null = null;
  private wantsAll = false;
  /** Pages that the server no longer has: asking again would never end. */
  private readonly gone = new Set<number>();

  constructor(
    private readonly ports: LogPorts,
    capacity = 1_000_000,
  ) {
    this.buffer = new LogBuffer(capacity);
    this.index = new LogIndex(this.buffer, { streams: allStreams, search: '' });
    this.snapshot = this.picture(0);
  }

  readonly getSnapshot = (): LogSnapshot => this.snapshot;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Starts, or goes on after `close`: React may unmount and mount a viewer again. */
  open(): void {
    this.closed = false;
    if (this.stopFollowing === undefined && this.phase !== 'complete') void this.start();
  }

  async start(): Promise<void> {
    this.phase = 'loading';
    this.problem = null;
    this.changed();
    try {
      const page = await this.ports.readPage({ tail: true, limit: TAIL_LINES });
      if (this.closed) return;
      this.buffer.extendTo(page.lastSeq);
      this.buffer.put(page.lines);
      this.phase = page.complete ? 'complete' : 'live';
      if (!page.complete) this.followLive();
    } catch (thrown) {
      if (this.closed) return;
      this.problem = problemOf(thrown);
      this.phase = 'failed';
    }
    this.changed();
  }

  close(): void {
    this.closed = true;
    this.stopFollowing?.();
    this.stopFollowing = undefined;
  }

  pause(): void {
    this.pausedAt ??= this.buffer.lastSeq;
    this.changed();
  }

  resume(): void {
    this.pausedAt = null;
    this.changed();
  }

  setQuery(streams: ReadonlySet<LogStream>, search: string): void {
    const { query } = this.index;
    if (
      query.search === search &&
      query.streams.size === streams.size &&
      [...streams].every((stream) => query.streams.has(stream))
    )
      return;
    this.index = new LogIndex(this.buffer, { streams, search });
    this.wantsAll = search !== '' || !this.index.isWhole;
    this.read();
    this.changed();
  }

  /** The viewer shows these lines: get those that are not here. */
  ensure(from: number, to: number): void {
    if (this.buffer.gapIn(from, to) === null) return;
    this.wanted = { from, to };
    this.read();
  }

  isGone(seq: number): boolean {
    return this.gone.has(this.chunkStart(seq));
  }

  private followLive(): void {
    this.stopFollowing?.();
    this.stopFollowing = this.ports.follow(
      () => this.buffer.lastSeq,
      (batch) => {
        this.buffer.put(batch.lines);
        if (batch.complete) {
          this.phase = 'complete';
          // The server goes on with the next attempt; this viewer shows one.
          this.stopFollowing?.();
        }
        this.changed();
      },
      (error) => {
        if (error !== undefined) {
          this.problem = problemOf(error);
          this.phase = 'failed';
        } else if (this.phase === 'live') {
          this.phase = 'complete';
        }
        this.changed();
      },
    );
  }

  /** One page at a time; what is on the screen goes first. */
  private read(): void {
    if (this.reading || this.closed) return;
    const gap = this.nextGap();
    if (gap === null) return;
    this.reading = true;
    const limit = this.wanted === null ? PAGE_LINES : Math.max(this.buffer.chunkLines, gap.to - gap.from + 1);
    this.ports
      .readPage({ afterSeq: gap.from - 1, limit })
      .then((page) => {
        const added = this.buffer.put(page.lines);
        this.buffer.extendTo(page.lastSeq);
        const stillMissing = this.buffer.gapIn(gap.from, gap.to);
        if (added === 0 || (stillMissing !== null && page.lines.length < limit))
          this.gone.add(this.chunkStart(gap.from));
        if (added > 0) this.index.rewindTo(gap.from);
        this.reading = false;
        this.read();
      })
      .catch((thrown: unknown) => {
        this.problem = problemOf(thrown);
        this.reading = false;
        this.wanted = null;
        this.wantsAll = false;
      })
      .finally(() => this.changed());
  }

  private nextGap(): { from: number; to: number } | null {
    if (this.wanted !== null) {
      const gap = this.gapNotGone(this.wanted.from, this.wanted.to);
      if (gap !== null) return gap;
      this.wanted = null;
    }
    return this.wantsAll ? this.gapNotGone(this.buffer.firstSeq, this.buffer.lastSeq) : null;
  }

  private gapNotGone(from: number, to: number): { from: number; to: number } | null {
    for (let gap = this.buffer.gapIn(from, to); gap !== null; gap = this.buffer.gapIn(gap.to + 1, to)) {
      if (!this.gone.has(gap.from)) return gap;
    }
    return null;
  }

  private chunkStart(seq: number): number {
    return Math.floor((seq - 1) / this.buffer.chunkLines) * this.buffer.chunkLines + 1;
  }

  private changed(): void {
    if (this.flushing) return;
    this.flushing = true;
    this.ports.onFrame(() => {
      this.flushing = false;
      if (this.closed) return;
      this.index.scan(SCAN_PER_FRAME);
      this.snapshot = this.picture(this.snapshot.revision + 1);
      for (const listener of [...this.listeners]) listener();
      if (!this.index.isComplete) this.changed();
    });
  }

  private searched(): number {
    if (this.wantsAll && this.reading) {
      const { loaded, missing } = this.buffer;
      return Math.min(99, Math.floor((loaded / Math.max(1, loaded + missing)) * 100));
    }
    return this.index.isComplete ? 100 : 99;
  }

  private picture(revision: number): LogSnapshot {
    const { lastSeq, firstSeq } = this.buffer;
    const shownTo = this.pausedAt ?? lastSeq;
    return {
      revision,
      phase: this.phase,
      problem: this.problem,
      shownTo,
      paused: this.pausedAt !== null,
      waiting: lastSeq - shownTo,
      searched: this.searched(),
      firstSeq,
    };
  }
}
