import type { FrameStream } from './log-frame.parser.js';
import { type FrameKind, frameKinds, type SpoolFrame } from './spool-frame.js';
import { characterBoundary } from './utf8-cut.js';

/** At most `MAX_LOG_LINE_BYTES`, so that a piece is shown as it is; not imported, because the spooler is to stay small. */
export const PIECE_BYTES = 16 * 1024;
const LINE_FEED = 0x0a;

/**
 * Cuts what a sandbox writes to one stream into frames of whole lines, so that a reader may begin between any two of them. Only the
 * beginning of a line whose end was not written yet is held back, up to one piece.
 */
export class OutputCutter {
  private held: Buffer = Buffer.alloc(0);

  constructor(
    private readonly stream: FrameStream,
    private readonly emit: (frame: SpoolFrame) => void,
  ) {}

  push(bytes: Buffer, t: number): void {
    const end = bytes.lastIndexOf(LINE_FEED) + 1;
    if (end > 0) this.frame(frameKinds.lines, t, this.withHeld(bytes.subarray(0, end)));
    this.held = this.withHeld(bytes.subarray(end));
    while (this.held.length > PIECE_BYTES) {
      const boundary = characterBoundary(this.held, 0, PIECE_BYTES);
      this.frame(frameKinds.piece, t, this.held.subarray(0, boundary));
      this.held = this.held.subarray(boundary);
    }
  }

  /** The stream is over: a last line without a line feed is a line too. */
  finish(t: number): void {
    if (this.held.length > 0) this.frame(frameKinds.rest, t, this.held);
    this.held = Buffer.alloc(0);
  }

  private withHeld(bytes: Buffer): Buffer {
    if (this.held.length === 0) return bytes;
    const whole = Buffer.concat([this.held, bytes]);
    this.held = Buffer.alloc(0);
    return whole;
  }

  private frame(kind: FrameKind, t: number, payload: Buffer): void {
    this.emit({ kind, stream: this.stream, t, payload });
  }
}
