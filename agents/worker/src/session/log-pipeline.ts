import { type LogLine, MAX_LOG_CHUNK_BYTES } from '@gantry/contracts/agents/log-chunk';
import { freshNumbering, LineNumbering } from '../domain/logs/line-numbering.js';
import type { LogCursor, RawLine } from '../domain/logs/raw-line.js';
import type { LogSink } from '../runtime/container-runtime.port.js';
import type { LogCheckpoint } from './attempt-record.js';
import type { OutgoingChunk, StoredTail } from './log-chunk.publisher.js';

const FLUSH_MS = 50;
const SAVE_EVERY_MS = 500;
/** Room for the envelope around the lines. */
const LINE_BUDGET_BYTES = MAX_LOG_CHUNK_BYTES - 1_024;
const encoder = new TextEncoder();

export interface ChunkOutput {
  send(chunk: OutgoingChunk): Promise<void>;
  drain(): Promise<void>;
}

export interface LogPipelineOptions {
  readonly taskId: string;
  readonly attempt: number;
  readonly workerId: string;
  /** 0 = no cap. */
  readonly linesPerSecond: number;
  readonly output: ChunkOutput;
  now(): number;
  /** False if it could not be written. */
  save(checkpoint: LogCheckpoint): boolean;
}

type LogPlace = Pick<LogCheckpoint, 'cursor' | 'numbering' | 'skip'>;

/**
 * One attempt's way from raw lines to stored chunks: numbering, chunks by size or after 50 ms (the very first line at once),
 * back-pressure to the reader, and checkpoints from which a restarted agent goes on without a gap or a repetition.
 */
export class LogPipeline implements LogSink {
  private readonly numbering: LineNumbering;
  /** Lines up to here are in the stream since before this start of the agent. */
  private readonly storedSeq: number;
  private readonly alreadyEnded: boolean;
  /** Own lines of an earlier life, to be put in again at their numbers. */
  private readonly replay: LogCheckpoint['systemLines'];
  private systemLines: LogCheckpoint['systemLines'];
  private cursor: LogCursor;
  private checkpoint: LogPlace;
  /** Lines that come again although the stream has them: of an attempt whose checkpoint was lost. */
  private readonly skip: { stdout: number; stderr: number };
  private readonly said: Set<string>;
  private lines: string[] = [];
  private lineBytes = 0;
  private firstSeq = 0;
  private timer: NodeJS.Timeout | undefined;
  private lastFlush = 0;
  /** A log that ends within moments is never written down: what is read again is known by its number. */
  private lastSave: number;
  private savedCursor: LogCursor;
  /** Work is done one after the other, so that a timer's flush never overtakes a waiting write. */
  private tail: Promise<void> = Promise.resolve();
  private endSent = false;
  /** Newest line of stderr: the container's init tells there why a command did not start. */
  lastErrorLine: string | undefined;

  constructor(
    private readonly options: LogPipelineOptions,
    restored?: LogCheckpoint,
    stored?: StoredTail,
  ) {
    this.skip = { ...(restored?.skip ?? { stdout: 0, stderr: 0 }) };
    this.checkpoint = {
      cursor: restored?.cursor ?? {},
      numbering: restored?.numbering ?? freshNumbering,
      ...this.stillToSkip(),
    };
    this.cursor = this.checkpoint.cursor;
    this.savedCursor = this.cursor;
    this.lastSave = options.now();
    this.numbering = new LineNumbering(options.linesPerSecond, this.checkpoint.numbering);
    this.systemLines = [...(restored?.systemLines ?? [])];
    this.replay = [...this.systemLines];
    this.said = new Set(this.systemLines.map(({ text }) => text));
    this.storedSeq = stored?.lastSeq ?? 0;
    this.alreadyEnded = stored?.ended ?? false;
  }

  /** Where reading of the engine's log must begin. */
  get startCursor(): LogCursor {
    return this.checkpoint.cursor;
  }

  keptCursor(): LogCursor {
    if (this.savedCursor !== this.checkpoint.cursor) this.saveCheckpoint();
    return this.savedCursor;
  }

  write(lines: readonly RawLine[], cursor: LogCursor | undefined): Promise<void> {
    return this.inTurn(async () => {
      for (const line of lines) {
        if (line.stream === 'stderr') this.lastErrorLine = line.text;
        if (this.skip[line.stream] > 0) {
          this.skip[line.stream] -= 1;
          continue;
        }
        this.replaySystemLines();
        this.numbering.number(line, this.add);
        if (this.lineBytes >= LINE_BUDGET_BYTES) await this.flush(undefined);
      }
      if (cursor !== undefined) this.cursor = cursor;
      const now = this.options.now();
      if (this.lines.length === 0) return;
      if (now - this.lastFlush >= FLUSH_MS) await this.flush(cursor);
      else this.scheduleFlush(cursor);
    });
  }

  /** A line of the agent's own. Written down before it is sent, because no engine log could bring it back. */
  system(text: string): Promise<void> {
    return this.inTurn(() => this.say(text));
  }

  /** The same, unless it was said before, here or in an earlier life of the agent. */
  mark(text: string): Promise<void> {
    return this.inTurn(() => (this.said.has(text) ? Promise.resolve() : this.say(text)));
  }

  /**
   * Says that nothing more can be read. An earlier life of the agent may have read further than this one: then the numbers go on after
   * what the stream has, because what has a number that the stream knows is taken for stored.
   */
  lose(text: string): Promise<void> {
    return this.inTurn(async () => {
      if (this.alreadyEnded) return;
      this.replaySystemLines();
      const own = this.replay.splice(0);
      this.numbering.skipTo(this.storedSeq, own.filter(({ seq }) => seq <= this.storedSeq).length);
      const unsent = own.filter(({ seq }) => seq > this.storedSeq);
      this.systemLines = this.systemLines.filter((line) => !unsent.includes(line));
      for (const line of unsent) this.put(line.text, line.t);
      if (this.said.has(text)) await this.flush(undefined);
      else await this.say(text);
    });
  }

  /** Stores the rest and marks the end; resolves when the stream has everything. */
  end(): Promise<void> {
    return this.inTurn(async () => {
      this.replaySystemLines();
      this.numbering.tellDropped(this.add);
      if (!this.alreadyEnded && !this.endSent) await this.flush(undefined, true);
      this.endSent = true;
      await this.options.output.drain();
    });
  }

  private async say(text: string): Promise<void> {
    this.replaySystemLines();
    this.put(text, this.options.now());
    await this.flush(undefined);
  }

  private put(text: string, t: number): void {
    const line = this.numbering.system(text, t);
    this.systemLines.push({ seq: line.seq, t, text });
    this.said.add(text);
    this.saveCheckpoint();
    this.add(line);
  }

  private replaySystemLines(): void {
    while (this.replay[0] !== undefined && this.replay[0].seq <= this.numbering.nextSeq) {
      const own = this.replay.shift();
      if (own !== undefined && own.seq === this.numbering.nextSeq) this.add(this.numbering.system(own.text, own.t));
    }
  }

  private readonly add = (line: LogLine): void => {
    if (line.seq <= this.storedSeq) return;
    // Written out by hand: this runs for every line, and is a third faster than serialising the object.
    const { seq, n, stream, t, text, partial } = line;
    const json = `{"seq":${seq},"n":${n},"stream":"${stream}","t":${t},"text":${JSON.stringify(text)}${partial === true ? ',"partial":true' : ''}}`;
    if (this.lines.length === 0) this.firstSeq = line.seq;
    this.lines.push(json);
    // Bytes as they will be sent: a line of control characters grows sixfold as JSON, and the broker refuses messages over 1 MiB.
    this.lineBytes += Buffer.byteLength(json) + 1;
  };

  private scheduleFlush(cursor: LogCursor | undefined): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.inTurn(() =>
        this.lines.length === 0 ? Promise.resolve() : this.flush(cursor === undefined ? undefined : this.cursor),
      );
    }, FLUSH_MS);
  }

  private async flush(cursor: LogCursor | undefined, end = false): Promise<void> {
    if (this.timer !== undefined) clearTimeout(this.timer);
    this.timer = undefined;
    if (this.lines.length === 0 && !end) return;
    const { taskId, attempt, workerId, output } = this.options;
    const numbering = this.numbering.snapshot();
    const skip = this.stillToSkip();
    const firstSeq = this.lines.length === 0 ? numbering.seq + 1 : this.firstSeq;
    const head = JSON.stringify({ taskId, attempt, workerId, end });
    const payload = encoder.encode(`${head.slice(0, -1)},"lines":[${this.lines.join(',')}]}`);
    this.lines = [];
    this.lineBytes = 0;
    this.lastFlush = this.options.now();
    await output.send({
      firstSeq,
      lastSeq: numbering.seq,
      end,
      payload,
      onStored: () => {
        if (cursor !== undefined) this.advance({ cursor, numbering, ...skip });
      },
    });
  }

  private advance(checkpoint: LogPlace): void {
    this.checkpoint = checkpoint;
    const now = this.options.now();
    if (now - this.lastSave < SAVE_EVERY_MS) return;
    this.saveCheckpoint();
  }

  private saveCheckpoint(): void {
    this.lastSave = this.options.now();
    this.systemLines = this.systemLines.filter((line) => line.seq > this.checkpoint.numbering.seq);
    const { cursor } = this.checkpoint;
    if (this.options.save({ version: 1, ...this.checkpoint, systemLines: this.systemLines })) this.savedCursor = cursor;
  }

  private stillToSkip(): Pick<LogCheckpoint, 'skip'> {
    const { stdout, stderr } = this.skip;
    return stdout === 0 && stderr === 0 ? {} : { skip: { stdout, stderr } };
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const run = this.tail.then(work);
    this.tail = run.catch(() => undefined);
    return run;
  }
}
