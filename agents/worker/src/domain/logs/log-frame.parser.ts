const HEADER_BYTES = 8;
const ENGINE_ERROR = 3;
/** The engine cuts lines at 16 KiB; anything near this size means that the bytes are not frames. */
const LARGEST_FRAME_BYTES = 16 * 1024 * 1024;

export type FrameStream = 'stdout' | 'stderr';

/**
 * Cuts the engine's multiplexed stream (byte 0: stream, bytes 4-7: big-endian length) into frames. Linear in the bytes whatever
 * their cut: a whole frame is a view into the input, only a frame that spans two inputs is copied, once.
 */
export class LogFrameParser {
  private readonly header = Buffer.alloc(HEADER_BYTES);
  private headerFilled = 0;
  private payload: Buffer | undefined;
  private payloadFilled = 0;

  /** The payload is only valid during the call. */
  push(input: Buffer, onFrame: (stream: FrameStream, payload: Buffer) => void): void {
    let at = 0;
    while (at < input.length) {
      if (this.payload !== undefined) {
        const taken = input.copy(this.payload, this.payloadFilled, at);
        this.payloadFilled += taken;
        at += taken;
        if (this.payloadFilled < this.payload.length) return;
        const payload = this.payload;
        this.payload = undefined;
        this.headerFilled = 0;
        onFrame(streamOf(this.header[0] ?? 0, payload), payload);
        continue;
      }
      if (this.headerFilled === 0 && input.length - at >= HEADER_BYTES) {
        const size = sizeOf(input, at);
        const end = at + HEADER_BYTES + size;
        if (end <= input.length) {
          const payload = input.subarray(at + HEADER_BYTES, end);
          onFrame(streamOf(input[at] ?? 0, payload), payload);
          at = end;
          continue;
        }
      }
      const taken = input.copy(this.header, this.headerFilled, at, at + HEADER_BYTES - this.headerFilled);
      this.headerFilled += taken;
      at += taken;
      if (this.headerFilled < HEADER_BYTES) return;
      const size = sizeOf(this.header, 0);
      if (size === 0) {
        this.headerFilled = 0;
        continue;
      }
      this.payload = Buffer.allocUnsafe(size);
      this.payloadFilled = 0;
    }
  }
}

function sizeOf(buffer: Buffer, at: number): number {
  const size = buffer.readUInt32BE(at + 4);
  if (size > LARGEST_FRAME_BYTES)
    throw new Error('The log stream of the engine is not made of frames (was the container started with a terminal?).');
  return size;
}

function streamOf(code: number, payload: Buffer): FrameStream {
  // In the middle of an answer this is the only way in which the engine can say that it cannot read on.
  if (code === ENGINE_ERROR) throw new Error(payload.toString('utf8').trim());
  return code === 2 ? 'stderr' : 'stdout';
}
