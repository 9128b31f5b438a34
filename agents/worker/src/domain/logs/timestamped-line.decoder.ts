import type { FrameStream } from './log-frame.parser.js';
import type { LogCursor, RawLine, StreamPosition } from './raw-line.js';
import { StreamAssembler } from './stream-assembler.js';

const NEW_LINE = 0x0a;
const SPACE = 0x20;

interface StreamState {
  readonly assembler: StreamAssembler;
  /** Last frame that was taken in, in this life of the decoder or, through the cursor, an earlier one. */
  seconds: number;
  nanos: number;
  count: number;
  /** Frames of the cursor's exact time stamp that an earlier life has taken and that will come again. */
  toSkip: number;
}

/**
 * Decodes frames of `logs(timestamps)`: one frame = one time stamp, a space, and a line (or, without a line feed, a piece of at most 16 KiB of a
 * longer one). Starting from a cursor it drops what was taken before it: the engine's `since` is inclusive, and is asked for
 * with a margin, because stamps are in order within a stream but not between the two.
 */
export class TimestampedLineDecoder {
  private readonly streams: Record<FrameStream, StreamState>;
  private secondText: Buffer = Buffer.alloc(0);
  private second = 0;

  constructor(cursor: LogCursor = {}) {
    this.streams = { stdout: stateAt(cursor.stdout), stderr: stateAt(cursor.stderr) };
  }

  decode(stream: FrameStream, payload: Buffer, emit: (line: RawLine) => void): void {
    const space = payload.indexOf(SPACE);
    if (space < 20) throw new Error('A log frame has no time stamp; the engine does not speak the expected protocol.');
    const seconds = this.secondsOf(payload);
    const nanos = nanosOf(payload, space);
    const state = this.streams[stream];
    if (seconds < state.seconds || (seconds === state.seconds && nanos < state.nanos)) {
      if (state.toSkip >= 0) return;
      // Never seen: the engine's clock was set back. Its lines are still lines.
      state.count = 0;
    } else if (seconds === state.seconds && nanos === state.nanos) {
      if (state.toSkip > 0) {
        state.toSkip -= 1;
        return;
      }
    } else {
      state.count = 0;
    }
    state.toSkip = -1;
    state.seconds = seconds;
    state.nanos = nanos;
    state.count += 1;
    const last = payload[payload.length - 1] === NEW_LINE;
    const t = seconds * 1_000 + Math.floor(nanos / 1_000_000);
    state.assembler.push(
      payload.subarray(space + 1, last ? payload.length - 1 : payload.length),
      last,
      (text, partial) => emit({ stream, t, text, partial }),
    );
  }

  /**
   * Where a later reading may go on without loss or repetition, or undefined while part of a character is held back.
   */
  cursor(): LogCursor | undefined {
    const { stdout, stderr } = this.streams;
    if (stdout.assembler.holding || stderr.assembler.holding) return undefined;
    return { ...positionOf('stdout', stdout), ...positionOf('stderr', stderr) };
  }

  /** Call before the engine's log is read again from `sinceOf(cursor)`: what was taken already will be skipped. */
  rewind(): void {
    for (const state of Object.values(this.streams)) state.toSkip = state.count === 0 ? -1 : state.count;
  }

  /** Where the engine must be asked to begin; undefined = at its first line. */
  since(): number | undefined {
    const { stdout, stderr } = this.streams;
    return sinceOf({ ...positionOf('stdout', stdout), ...positionOf('stderr', stderr) });
  }

  private secondsOf(payload: Buffer): number {
    // `2026-01-02T03:04:05`: parsing a date costs more than the rest of the line, and thousands share a second.
    if (this.secondText.length !== 19 || payload.compare(this.secondText, 0, 19, 0, 19) !== 0) {
      this.secondText = Buffer.from(payload.subarray(0, 19));
      this.second = Math.floor(Date.parse(`${this.secondText.toString('latin1')}Z`) / 1_000);
      if (Number.isNaN(this.second)) throw new Error('A log frame has no readable time stamp.');
    }
    return this.second;
  }
}

function stateAt(position: StreamPosition | undefined): StreamState {
  return {
    assembler: new StreamAssembler(),
    seconds: position?.seconds ?? 0,
    nanos: position?.nanos ?? 0,
    count: position?.count ?? 0,
    toSkip: position?.count ?? -1,
  };
}

function positionOf(stream: FrameStream, state: StreamState): LogCursor {
  if (state.count === 0) return {};
  return { [stream]: { seconds: state.seconds, nanos: state.nanos, count: state.count } };
}

/** Digits after the dot, scaled to nine; the stamp ends with `Z`. */
function nanosOf(payload: Buffer, space: number): number {
  let nanos = 0;
  let digits = 0;
  for (let at = 20; at < space && digits < 9; at += 1) {
    const digit = (payload[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) break;
    nanos = nanos * 10 + digit;
    digits += 1;
  }
  return nanos * 10 ** (9 - digits);
}

/** The engine's `since` for a cursor: a margin before the newest position; undefined = from the beginning. */
function sinceOf(cursor: LogCursor, marginSeconds = 5): number | undefined {
  const newest = Math.max(cursor.stdout?.seconds ?? 0, cursor.stderr?.seconds ?? 0);
  return newest === 0 ? undefined : Math.max(0, newest - marginSeconds);
}
