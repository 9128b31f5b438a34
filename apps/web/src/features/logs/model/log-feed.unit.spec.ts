import { describe, expect, it } from 'vitest';
import type { LogLineFieldsFragment } from '@/gql/graphql';
import { ProblemError } from '@/lib/problem';
import { LogFeed, type LogBatch, type LogPage, type LogPorts } from './log-feed';

const line = (seq: number): LogLineFieldsFragment => ({
  seq,
  n: seq,
  stream: seq % 10 === 0 ? 'stderr' : 'stdout',
  t: seq,
  text: `line ${seq}`,
  partial: false,
});
const lines = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => line(from + index));

/** A server with `last` lines of one attempt, and frames that are painted by hand. */
class FakeLog implements LogPorts {
  requests: object[] = [];
  frames: (() => void)[] = [];
  followers: {
    afterSeq: () => number;
    onBatch: (batch: LogBatch) => void;
    onEnd: (error?: unknown) => void;
    stopped: boolean;
  }[] = [];
  failWith: Error | null = null;
  firstKept = 1;

  constructor(
    public last: number,
    public complete = false,
  ) {}

  readPage(request: { tail: true; limit: number } | { afterSeq: number; limit: number }): Promise<LogPage> {
    this.requests.push(request);
    if (this.failWith !== null) return Promise.reject(this.failWith);
    const from = Math.max(this.firstKept, 'tail' in request ? this.last - request.limit + 1 : request.afterSeq + 1);
    return Promise.resolve({
      attempt: 1,
      lines: lines(from, Math.min(this.last, from + request.limit - 1)),
      lastSeq: this.last,
      complete: this.complete,
    });
  }

  follow(afterSeq: () => number, onBatch: (batch: LogBatch) => void, onEnd: (error?: unknown) => void): () => void {
    const follower = { afterSeq, onBatch, onEnd, stopped: false };
    this.followers.push(follower);
    return () => {
      follower.stopped = true;
    };
  }

  onFrame(work: () => void): void {
    this.frames.push(work);
  }

  /** Paints until nothing changes any more. */
  async settle(): Promise<void> {
    for (let round = 0; round < 200; round += 1) {
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
      const frames = this.frames.splice(0);
      if (frames.length === 0) return;
      for (const frame of frames) frame();
    }
  }
}

describe('LogFeed', () => {
  it('shows the tail first and follows from its end', async () => {
    const log = new FakeLog(10_000);
    const feed = new LogFeed(log);
    feed.open();
    await log.settle();
    expect(feed.getSnapshot()).toMatchObject({ phase: 'live', shownTo: 10_000 });
    expect(feed.buffer.loaded).toBe(2_000);
    expect(log.followers[0]?.afterSeq()).toBe(10_000);
  });

  it('asks a resumed connection for the lines after the last one it has', async () => {
    const log = new FakeLog(3);
    const feed = new LogFeed(log);
    feed.open();
    await log.settle();
    log.followers[0]?.onBatch({ attempt: 1, lines: lines(4, 8), complete: false });
    await log.settle();
    expect(log.followers[0]?.afterSeq()).toBe(8);
    // What comes twice is shown once.
    log.followers[0]?.onBatch({ attempt: 1, lines: lines(6, 9), complete: false });
    await log.settle();
    expect([feed.buffer.loaded, feed.buffer.missing]).toEqual([9, 0]);
  });

  it('paints once, however many batches come between two frames', async () => {
    const log = new FakeLog(0);
    const feed = new LogFeed(log);
    feed.open();
    await log.settle();
    let paints = 0;
    feed.subscribe(() => (paints += 1));
    for (let batch = 0; batch < 50; batch += 1)
      log.followers[0]?.onBatch({ attempt: 1, lines: lines(batch * 10 + 1, batch * 10 + 10), complete: false });
    await log.settle();
    expect([paints, feed.getSnapshot().shownTo]).toEqual([1, 500]);
  });

  it('holds lines back while paused, and loses none', async () => {
    const log = new FakeLog(5);
    const feed = new LogFeed(log);
    feed.open();
    await log.settle();
    feed.pause();
    log.followers[0]?.onBatch({ attempt: 1, lines: lines(6, 9), complete: false });
    await log.settle();
    expect(feed.getSnapshot()).toMatchObject({ paused: true, shownTo: 5, waiting: 4 });
    feed.resume();
    await log.settle();
    expect(feed.getSnapshot()).toMatchObject({ paused: false, shownTo: 9, waiting: 0 });
  });

  it('fetches the part that is looked at, and only that', async () => {
    const log = new FakeLog(100_000, true);
    const feed = new LogFeed(log);
    feed.open();
    await log.settle();
    feed.ensure(50_000, 50_040);
    await log.settle();
    expect(feed.buffer.get(50_000)?.text).toBe('line 50000');
    expect(feed.buffer.loaded).toBeLessThan(5_000);
  });

  it('fetches everything for a search', async () => {
    const log = new FakeLog(12_000, true);
    const feed = new LogFeed(log);
    feed.open();
    await log.settle();
    feed.setQuery(feed.index.query.streams, 'LINE 1199');
    await log.settle();
    expect(feed.buffer.missing).toBe(0);
    expect(feed.index.matches).toEqual([1199, ...Array.from({ length: 10 }, (_, index) => 11_990 + index)]);
    expect(feed.getSnapshot().searched).toBe(100);
  });

  it('stops asking for lines that the server no longer keeps', async () => {
    const log = new FakeLog(10_000, true);
    log.firstKept = 6_000;
    const feed = new LogFeed(log);
    feed.open();
    await log.settle();
    feed.setQuery(feed.index.query.streams, 'line');
    await log.settle();
    expect(feed.isGone(1)).toBe(true);
    expect(feed.index.matches.length).toBe(4_001);
    expect(log.requests.length).toBeLessThan(10);
  });

  it('ends with the last line, and stops following', async () => {
    const log = new FakeLog(1);
    const feed = new LogFeed(log);
    feed.open();
    await log.settle();
    log.followers[0]?.onBatch({ attempt: 1, lines: lines(2, 2), complete: true });
    await log.settle();
    expect(feed.getSnapshot().phase).toBe('complete');
    expect(log.followers[0]?.stopped).toBe(true);
  });

  it('says what failed and starts again when asked', async () => {
    const log = new FakeLog(5, true);
    log.failWith = new ProblemError({
      code: 'SERVICE.UNAVAILABLE',
      kind: 'unavailable',
      message: 'Later.',
      retryable: true,
      fields: [],
    });
    const feed = new LogFeed(log);
    feed.open();
    await log.settle();
    expect(feed.getSnapshot()).toMatchObject({ phase: 'failed', problem: { code: 'SERVICE.UNAVAILABLE' } });
    log.failWith = null;
    void feed.start();
    await log.settle();
    expect(feed.getSnapshot()).toMatchObject({ phase: 'complete', problem: null, shownTo: 5 });
  });
});
