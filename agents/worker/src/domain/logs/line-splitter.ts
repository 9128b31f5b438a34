import type { FrameStream } from './log-frame.parser.js';
import type { RawLine } from './raw-line.js';
import { StreamAssembler } from './stream-assembler.js';

/** Cuts the raw output of a process into lines; the time is that of the reading. */
export class LineSplitter {
  private readonly assembler = new StreamAssembler();
  private open = false;

  constructor(private readonly stream: FrameStream) {}

  push(input: Buffer, t: number, emit: (line: RawLine) => void): void {
    const take = (text: string, partial: boolean) => emit({ stream: this.stream, t, text, partial });
    let start = 0;
    for (;;) {
      const feed = input.indexOf(0x0a, start);
      if (feed === -1) break;
      this.assembler.push(input.subarray(start, feed), true, take);
      this.open = false;
      start = feed + 1;
    }
    if (start < input.length) {
      this.open = true;
      this.assembler.hold(input.subarray(start), take);
    }
  }

  /** The stream is over: a last line without a line feed is a line too. */
  finish(t: number, emit: (line: RawLine) => void): void {
    if (!this.open) return;
    this.open = false;
    this.assembler.push(Buffer.alloc(0), true, (text, partial) => emit({ stream: this.stream, t, text, partial }));
  }
}
