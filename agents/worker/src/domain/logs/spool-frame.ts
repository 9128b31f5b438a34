import type { FrameStream } from './log-frame.parser.js';

/**
 * What one frame of a spool holds: `lines`: whole lines, each with its line feed; `piece`: a part of a line that is too long, more
 * of it follows; `rest`: the end of a line without a line feed, after which nothing comes.
 */
export const frameKinds = { lines: 0, piece: 1, rest: 2 } as const;
export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds];

export interface SpoolFrame {
  readonly kind: FrameKind;
  readonly stream: FrameStream;
  /** When it was read from the sandbox, epoch milliseconds. */
  readonly t: number;
  readonly payload: Buffer;
}

/** Length of the payload (4 bytes), kind, stream, two bytes of nothing, time (8 bytes, a double); all little-endian. */
const HEADER_BYTES = 16;
/** A frame is what Node reads at once (64 KiB), and at most one piece that was waiting for the end of its line. */
export const LARGEST_FRAME_BYTES = 128 * 1024;

export function encodeFrame({ kind, stream, t, payload }: SpoolFrame): Buffer[] {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(payload.length, 0);
  header.writeUInt8(kind, 4);
  header.writeUInt8(stream === 'stderr' ? 1 : 0, 5);
  header.writeDoubleLE(t, 8);
  return [header, payload];
}

/** Gives every whole frame, and how many bytes they took; throws if the very first one is damaged. Payloads are views into `bytes`. */
export function decodeFrames(bytes: Buffer, onFrame: (frame: SpoolFrame) => void): number {
  let at = 0;
  while (bytes.length - at >= HEADER_BYTES) {
    const length = bytes.readUInt32LE(at);
    const kind = Object.values(frameKinds).find((known) => known === bytes[at + 4]);
    if (length > LARGEST_FRAME_BYTES || kind === undefined) {
      if (at > 0) break;
      throw new Error('it is damaged');
    }
    const end = at + HEADER_BYTES + length;
    if (end > bytes.length) break;
    const stream = bytes[at + 5] === 1 ? 'stderr' : 'stdout';
    onFrame({ kind, stream, t: bytes.readDoubleLE(at + 8), payload: bytes.subarray(at + HEADER_BYTES, end) });
    at = end;
  }
  return at;
}
