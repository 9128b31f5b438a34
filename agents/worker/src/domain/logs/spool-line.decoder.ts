import { assertNever } from '@gantry/kernel/assert-never';
import type { RawLine } from './raw-line.js';
import { frameKinds, type SpoolFrame } from './spool-frame.js';
import { StreamAssembler } from './stream-assembler.js';

const LINE_FEED = 0x0a;

/** Takes lines out of the frames of a spool. Nothing is carried from one frame to the next, so any boundary between frames is a cursor. */
export class SpoolLineDecoder {
  private readonly assembler = new StreamAssembler();

  decode({ kind, stream, t, payload }: SpoolFrame, emit: (line: RawLine) => void): void {
    switch (kind) {
      case frameKinds.lines: {
        const take = (text: string, partial: boolean): void => emit({ stream, t, text, partial });
        for (let start = 0; start < payload.length;) {
          const feed = payload.indexOf(LINE_FEED, start);
          const end = feed === -1 ? payload.length : feed;
          this.assembler.push(payload.subarray(start, end), true, take);
          start = end + 1;
        }
        return;
      }
      case frameKinds.piece:
      case frameKinds.rest:
        emit({ stream, t, text: payload.toString('utf8'), partial: kind === frameKinds.piece });
        return;
      default:
        assertNever(kind, 'kind');
    }
  }
}
