import { MAX_LOG_LINE_BYTES } from '@gantry/contracts/agents/log-chunk';
import { characterBoundary } from './utf8-cut.js';

/**
 * Turns pieces of one stream into lines of at most `MAX_LOG_LINE_BYTES` without cutting a character. A long line comes out as
 * partial lines and a last one.
 */
export class StreamAssembler {
  private held: Buffer[] = [];
  private heldBytes = 0;

  /** True if bytes are held back that no line has shown yet. */
  get holding(): boolean {
    return this.heldBytes > 0;
  }

  /** A piece that ends a line (`last`), or that the engine cut off a longer one. */
  push(piece: Buffer, last: boolean, emit: (text: string, partial: boolean) => void): void {
    if (last && this.heldBytes === 0 && piece.length <= MAX_LOG_LINE_BYTES) {
      emit(piece.toString('utf8'), false);
      return;
    }
    const rest = this.emitFull(this.take(piece), emit);
    if (last) {
      emit(rest.toString('utf8'), false);
      return;
    }
    const end = characterBoundary(rest, 0, rest.length);
    if (end > 0) emit(rest.toString('utf8', 0, end), true);
    this.keep(rest.subarray(end));
  }

  private emitFull(bytes: Buffer, emit: (text: string, partial: boolean) => void): Buffer {
    let at = 0;
    while (bytes.length - at > MAX_LOG_LINE_BYTES) {
      const limit = at + MAX_LOG_LINE_BYTES;
      const boundary = characterBoundary(bytes, at, limit);
      const end = boundary > at ? boundary : limit;
      emit(bytes.toString('utf8', at, end), true);
      at = end;
    }
    return bytes.subarray(at);
  }

  private take(piece: Buffer): Buffer {
    if (this.heldBytes === 0) return piece;
    const bytes = Buffer.concat([...this.held, piece]);
    this.held = [];
    this.heldBytes = 0;
    return bytes;
  }

  private keep(piece: Buffer): void {
    if (piece.length === 0) return;
    // A copy: the piece is a view into a buffer that will be used again.
    this.held.push(Buffer.from(piece));
    this.heldBytes += piece.length;
  }
}
