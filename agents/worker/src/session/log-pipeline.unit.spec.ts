import { logChunkSchema, type LogChunk, MAX_LOG_CHUNK_BYTES } from '@gantry/contracts/agents/log-chunk';
import { describe, expect, it } from 'vitest';
import type { RawLine } from '../domain/logs/raw-line.js';
import type { LogCheckpoint } from './attempt-record.js';
import type { OutgoingChunk, StoredTail } from './log-chunk.publisher.js';
import { type ChunkOutput, LogPipeline } from './log-pipeline.js';

/** Stores at once, or as many chunks as it is told to before it "dies". */
class MemoryOutput implements ChunkOutput {
  readonly chunks: LogChunk[] = [];
  readonly bytes: number[] = [];
  acknowledged = Number.POSITIVE_INFINITY;

  send(chunk: OutgoingChunk): Promise<void> {
    this.bytes.push(chunk.payload.length);
    this.chunks.push(logChunkSchema.parse(JSON.parse(new TextDecoder().decode(chunk.payload))));
    if (this.chunks.length <= this.acknowledged) chunk.onStored();
    return Promise.resolve();
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  get tail(): StoredTail | undefined {
    const last = this.chunks.at(-1);
    return last === undefined
      ? undefined
      : { lastSeq: last.lines.at(-1)?.seq ?? Number.MAX_SAFE_INTEGER, ended: last.end };
  }
}

const raw = (index: number, text = `line ${index}`): RawLine => ({
  stream: index % 3 === 0 ? 'stderr' : 'stdout',
  t: index,
  text,
  partial: false,
});

function pipeline(
  output: MemoryOutput,
  saved: LogCheckpoint[],
  restored?: LogCheckpoint,
  tail?: StoredTail,
): LogPipeline {
  let now = 0;
  return new LogPipeline(
    {
      taskId: 't',
      attempt: 1,
      workerId: 'w',
      linesPerSecond: 0,
      output,
      now: () => (now += 1_000),
      save: (checkpoint) => saved.push(checkpoint) > 0,
    },
    restored,
    tail,
  );
}

describe('log pipeline', () => {
  it('sends the first line at once and marks the end once', async () => {
    const output = new MemoryOutput();
    const log = pipeline(output, []);
    await log.write([raw(1)], {});
    expect(output.chunks).toHaveLength(1);
    await log.end();
    expect(output.chunks.map(({ end, lines }) => [end, lines.length])).toEqual([
      [false, 1],
      [true, 0],
    ]);
  });

  it('keeps chunks under their limit even for lines that grow as JSON', async () => {
    const output = new MemoryOutput();
    const log = pipeline(output, []);
    await log.write(
      Array.from({ length: 60 }, (_, index) => raw(index, '\u0001'.repeat(16_000))),
      {},
    );
    await log.end();
    expect(output.bytes.length).toBeGreaterThan(10);
    // A line more than the limit at the most, and far from the broker's 1 MiB.
    for (const bytes of output.bytes) expect(bytes).toBeLessThan(MAX_LOG_CHUNK_BYTES + 100_000);
    expect(output.chunks.flatMap(({ lines }) => lines).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 60 }, (_, index) => index + 1),
    );
  });

  it('goes on after a crash at any point without loss or repetition, lines of its own included', async () => {
    // The engine's log, and the place where the agent itself said something.
    const lines = Array.from({ length: 12 }, (_, index) => raw(index));
    const ownAfter = 5;
    const cursorAt = (count: number) => ({ stdout: { seconds: 1, nanos: 0, count } });
    const feed = async (log: LogPipeline, from: number, to: number, own: boolean): Promise<void> => {
      for (let index = from; index < to; index += 1) {
        if (own && index === ownAfter) await log.system('from the agent');
        await log.write([lines[index] as RawLine], cursorAt(index + 1));
      }
    };
    const whole = new MemoryOutput();
    const undisturbed = pipeline(whole, []);
    await feed(undisturbed, 0, lines.length, true);
    await undisturbed.end();
    const texts = (output: MemoryOutput[]): string[] =>
      output
        .flatMap(({ chunks }) => chunks)
        .flatMap((chunk) => chunk.lines)
        .map(({ seq, n, stream, text }) => `${seq} ${stream} ${n} ${text}`);

    for (let crash = 0; crash <= lines.length; crash += 1) {
      for (const acknowledged of [0, 3, 100]) {
        const first = new MemoryOutput();
        first.acknowledged = acknowledged;
        const saved: LogCheckpoint[] = [];
        const before = pipeline(first, saved);
        await feed(before, 0, crash, true);
        const second = new MemoryOutput();
        const after = pipeline(second, [], saved.at(-1), first.tail);
        const start = after.startCursor.stdout?.count ?? 0;
        const told = crash > ownAfter;
        for (let index = start; index < lines.length; index += 1) {
          if (!told && index === ownAfter) await after.system('from the agent');
          await after.write([lines[index] as RawLine], cursorAt(index + 1));
        }
        await after.end();
        expect(texts([first, second])).toEqual(texts([whole]));
      }
    }
  });

  describe('when what it held cannot be read any more', () => {
    const texts = (...outputs: MemoryOutput[]): string[] =>
      outputs.flatMap(({ chunks }) => chunks.flatMap(({ lines }) => lines.map(({ seq, text }) => `${seq} ${text}`)));

    it('says so once, however often it is asked, and ends once', async () => {
      const output = new MemoryOutput();
      const log = pipeline(output, []);
      await log.write([raw(1)], {});
      await log.lose('lost');
      await log.lose('lost');
      await log.end();
      await log.end();
      expect(texts(output)).toEqual(['1 line 1', '2 lost']);
      expect(output.chunks.filter(({ end }) => end)).toHaveLength(1);
    });

    it('goes on after what an earlier life of the agent had read of it, with the lines of its own that are not stored', async () => {
      const first = new MemoryOutput();
      const saved: LogCheckpoint[] = [];
      const before = pipeline(first, saved);
      await before.system('own 1');
      await before.write([raw(1)], undefined);
      await before.write([raw(2)], undefined);
      const stored = first.tail;
      await before.write([raw(4)], undefined);
      await before.system('own 2');
      // The life ended while these two were on their way, and they never came.
      first.chunks.splice(-2);
      const second = new MemoryOutput();
      const again: LogCheckpoint[] = [];
      const after = pipeline(second, again, saved.at(-1), stored);
      await after.lose('lost');
      await after.end();
      expect(texts(first, second)).toEqual(['1 own 1', '2 line 1', '3 line 2', '4 own 2', '5 lost']);
      expect(second.chunks.flatMap(({ lines }) => lines.map(({ n }) => n))).toEqual([2, 3]);

      const third = new MemoryOutput();
      const last = pipeline(third, [], again.at(-1), second.tail);
      await last.lose('lost');
      await last.end();
      expect(texts(third)).toEqual([]);
    });
  });
});
