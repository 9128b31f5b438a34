import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { pause } from '@gantry/jetstream/pause';
import { eventually } from '@gantry/testing/eventually';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogCursor, RawLine } from '../../../domain/logs/raw-line.js';
import type { LogSink } from '../../container-runtime.port.js';
import { OutputSpooler } from './output-spooler.js';
import { segmentFile, segmentStarts } from './spool-files.js';
import { SpoolReader } from './spool-reader.js';
import type { SpoolerMessage } from './spooler-messages.js';

const MEBIBYTE = 1024 * 1024;

/** Has stored everything at once, or nothing at all. */
class MemorySink implements LogSink {
  readonly lines: RawLine[] = [];
  readonly marks: string[] = [];
  cursor: LogCursor = {};
  stores = true;

  write(lines: readonly RawLine[], cursor: LogCursor | undefined): void {
    this.lines.push(...lines);
    if (this.stores && cursor !== undefined) this.cursor = cursor;
  }

  system(): Promise<void> {
    return Promise.resolve();
  }

  mark(text: string): Promise<void> {
    this.marks.push(text);
    return Promise.resolve();
  }

  keptCursor(): LogCursor {
    return this.cursor;
  }
}

describe('the spooler of sandboxes', () => {
  let folder: string;
  let spool: string;
  let told: SpoolerMessage[];
  let done: boolean;
  let spooler: OutputSpooler;
  let server: Server;
  const calledOff = new AbortController();

  beforeEach(async () => {
    folder = temporaryFolder('gantry-spool');
    spool = join(folder, 'disk', 'spool');
    mkdirSync(spool, { recursive: true });
    told = [];
    done = false;
    spooler = new OutputSpooler(
      (message) => told.push(message),
      () => (done = true),
    );
    server = createServer().listen(join(folder, 'socket'));
    await once(server, 'listening');
  });

  afterEach(() => {
    spooler.leave();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What a sandbox would write to, standard output first. */
  const open = async (limitBytes = 64 * MEBIBYTE): Promise<[Socket, Socket]> => {
    spooler.open(spool, limitBytes);
    return [await connected('stdout'), await connected('stderr')];
  };
  const connected = async (stream: 'stdout' | 'stderr'): Promise<Socket> => {
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const socket = connect(join(folder, 'socket'));
    const [output] = await accepted;
    spooler.keep(spool, stream, output);
    return socket;
  };
  const bytes = (): number => readdirSync(spool).reduce((sum, name) => sum + statSync(join(spool, name)).size, 0);
  const spooled = (): number =>
    segmentStarts(spool).reduce((sum, start) => sum + statSync(segmentFile(spool, start)).size, 0);
  const numbered = (from: number, to: number): string[] =>
    Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`);
  const printed = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

  it('ends when both streams do, and then nothing more is waited for', async () => {
    const [out, err] = await open();
    const sink = new MemorySink();
    const reading = new SpoolReader(spool, 0, sink, calledOff.signal).follow();
    out.write('one\ntw');
    await eventually(() => expect(sink.lines.map(({ text }) => text)).toEqual(['one']));
    out.end('o');
    await eventually(() => expect(sink.lines.map(({ text }) => text)).toEqual(['one', 'two']));
    err.end('three\n');
    expect(await reading).toBe('over');
    expect(sink.lines.map(({ stream, text }) => `${stream} ${text}`)).toEqual([
      'stdout one',
      'stdout two',
      'stderr three',
    ]);
    expect(done).toBe(false);
    spooler.leave();
    expect(done).toBe(true);
  });

  it('is read on after a part that is damaged, so that the writer never waits for a reader that gave up', async () => {
    const limit = MEBIBYTE;
    const [out, err] = await open(limit);
    err.end();
    out.write('first\n');
    await eventually(() => expect(spooled()).toBeGreaterThan(0));
    const healthy = spooled();
    out.write('second\n');
    await eventually(() => expect(spooled()).toBeGreaterThan(healthy));
    const file = openSync(segmentFile(spool, 0), 'r+');
    writeSync(file, Buffer.alloc(spooled() - healthy, 0xff), 0, undefined, healthy);
    closeSync(file);
    const sink = new MemorySink();
    const reading = new SpoolReader(spool, 0, sink, calledOff.signal).follow();
    await eventually(() => expect(sink.marks).toEqual([expect.stringMatching(/is lost: .* \(it is damaged\)\.$/)]));
    expect(sink.lines.map(({ text }) => text)).toEqual(['first']);
    const lines = numbered(1, 400_000);
    out.end(printed(lines));
    expect(await reading).toBe('over');
    const read = sink.lines.slice(1).map(({ text }) => text);
    // All but what went into the damaged segment, an eighth of the limit and what was written with it.
    expect(read.length).toBeGreaterThan(300_000);
    expect(read).toEqual(lines.slice(-read.length));
    expect(sink.marks).toHaveLength(1);
  });

  it('is not read from the middle of what nobody knows the beginning of', async () => {
    const [out, err] = await open();
    err.end();
    out.end('one\n');
    await eventually(() => expect(spooled()).toBeGreaterThan(0));
    renameSync(segmentFile(spool, 0), segmentFile(spool, 1_000));
    const reading = new SpoolReader(spool, 0, new MemorySink(), calledOff.signal).follow();
    await expect(reading).rejects.toThrow('stored already');
  });

  it('lets the writer wait at the limit until what is stored was removed', async () => {
    const limit = MEBIBYTE;
    const [out, err] = await open(limit);
    err.end();
    const lines = numbered(1, 500_000);
    out.end(printed(lines));
    let before = -1;
    await eventually(async () => {
      before = bytes();
      await pause(200);
      expect(bytes()).toBe(before);
    });
    expect(before).toBeGreaterThanOrEqual(limit);
    expect(before).toBeLessThan(2 * limit);
    expect(out.writableFinished).toBe(false);

    // What is read but not stored may be asked for again: it stays, and the writer waits.
    const sink = new MemorySink();
    sink.stores = false;
    const reading = new SpoolReader(spool, 0, sink, calledOff.signal).follow();
    await eventually(() => expect(sink.lines.length).toBeGreaterThan(50_000));
    await pause(1_000);
    expect(bytes()).toBe(before);
    sink.stores = true;
    sink.cursor = { spool: before };
    expect(await reading).toBe('over');
    expect(sink.lines).toHaveLength(lines.length);
    expect(sink.lines.findIndex(({ text }, index) => text !== lines[index])).toBe(-1);
    // What was written after the last removal stays for the removal of the whole, and is bounded as before.
    expect(printed(lines).length).toBeGreaterThan(4 * limit);
    expect(bytes()).toBeLessThan(2 * limit);
  });

  it('writes the rest whatever the limit says when the agent is dead', async () => {
    const limit = 64 * 1024;
    const [out, err] = await open(limit);
    err.end();
    out.end(printed(numbered(1, 100_000)));
    await eventually(() => expect(bytes()).toBeGreaterThanOrEqual(limit));
    spooler.leave();
    await eventually(() => expect(done).toBe(true));
    const sink = new MemorySink();
    expect(await new SpoolReader(spool, 0, sink, calledOff.signal).follow()).toBe('over');
    expect(sink.lines).toHaveLength(100_000);
  });

  it('goes on from any cursor with what came after it', async () => {
    const [out, err] = await open(MEBIBYTE);
    const cursors: { readonly place: number; readonly lines: number }[] = [];
    const sink = new MemorySink();
    const write = sink.write.bind(sink);
    sink.write = (lines, cursor) => {
      write(lines, cursor);
      cursors.push({ place: cursor?.spool ?? 0, lines: sink.lines.length });
      sink.stores = false;
    };
    const reading = new SpoolReader(spool, 0, sink, calledOff.signal).follow();
    for (let part = 0; part < 20; part += 1) {
      out.write(printed(numbered(part * 100 + 1, part * 100 + 100)));
      await eventually(() => expect(sink.lines.length).toBe(part * 100 + 100));
    }
    out.end();
    err.end();
    await reading;
    for (const { place, lines } of cursors) {
      const again = new MemorySink();
      await new SpoolReader(spool, place, again, calledOff.signal).follow();
      expect(again.lines.map(({ text }) => text)).toEqual(numbered(lines + 1, 2_000));
    }
  });

  it('lets the writer wait while the disk is full, says so, and loses nothing', async () => {
    const disk = join(folder, 'disk');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', disk]);
    try {
      mkdirSync(spool);
      const [out, err] = await open();
      err.end();
      writeFileSync(join(disk, 'foreign'), Buffer.alloc(256 * 1024));
      const lines = numbered(1, 30_000);
      out.end(printed(lines));
      await eventually(() => expect(told).toEqual([{ type: 'disk', folder: spool, problem: 'ENOSPC' }]));
      const sink = new MemorySink();
      const reading = new SpoolReader(spool, 0, sink, calledOff.signal).follow();
      await pause(1_000);
      expect(sink.lines.length).toBeLessThan(lines.length);
      rmSync(join(disk, 'foreign'));
      expect(await reading).toBe('over');
      expect(sink.lines.map(({ text }) => text)).toEqual(lines);
      expect(told.slice(1)).toEqual([{ type: 'disk', folder: spool }]);
    } finally {
      execFileSync('umount', ['--lazy', disk]);
    }
  });
});
