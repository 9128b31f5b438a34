import type { LogLine, LogStream } from '@gantry/contracts/agents/log-chunk';
import type { RawLine } from './raw-line.js';

/** All that numbering remembers; goes into the checkpoint, so that a restarted agent numbers the same lines the same way. */
export interface NumberingState {
  readonly seq: number;
  readonly stdout: number;
  readonly stderr: number;
  readonly system: number;
  /** The second (of line time) that the cap is counting, lines let through in it, lines dropped in it. */
  readonly second: number;
  readonly passed: number;
  readonly dropped: number;
}

export const freshNumbering: NumberingState = {
  seq: 0,
  stdout: 0,
  stderr: 0,
  system: 0,
  second: 0,
  passed: 0,
  dropped: 0,
};

/**
 * Gives lines their numbers. The optional cap counts by the lines' own time stamps and not by a clock, so numbering is a
 * function of the lines alone: reading them again gives the same result. Dropped lines use up `n` (the gap is visible), never `seq`.
 */
export class LineNumbering {
  private state: { -readonly [K in keyof NumberingState]: NumberingState[K] };

  constructor(
    private readonly linesPerSecond: number,
    start: NumberingState = freshNumbering,
  ) {
    this.state = { ...start };
  }

  snapshot(): NumberingState {
    return { ...this.state };
  }

  get nextSeq(): number {
    return this.state.seq + 1;
  }

  number(line: RawLine, emit: (line: LogLine) => void): void {
    if (this.linesPerSecond > 0) {
      const second = Math.floor(line.t / 1_000);
      if (second !== this.state.second) {
        this.tellDropped(emit);
        this.state.second = second;
        this.state.passed = 0;
      }
      if (this.state.passed >= this.linesPerSecond) {
        this.state.dropped += 1;
        this.state[line.stream] += 1;
        return;
      }
      this.state.passed += 1;
    }
    emit(this.assign(line.stream, line.t, line.text, line.partial));
  }

  system(text: string, t: number): LogLine {
    return this.assign('system', t, text, false);
  }

  /**
   * Goes on after `seq`, unless it is there already: lines up to it were numbered by somebody else and cannot be read again, among them
   * so many of the agent's own.
   */
  skipTo(seq: number, systemLines: number): void {
    if (seq <= this.state.seq) return;
    this.state.seq = seq;
    this.state.system += systemLines;
    // Whether that was said is not known either.
    this.state.dropped = 0;
  }

  /** Says what the cap held back, if anything is still unsaid. */
  tellDropped(emit: (line: LogLine) => void): void {
    const { dropped, second } = this.state;
    if (dropped === 0) return;
    this.state.dropped = 0;
    const text = `Dropped ${dropped} lines: the task wrote more than ${this.linesPerSecond} lines in one second.`;
    emit(this.assign('system', second * 1_000 + 999, text, false));
  }

  private assign(stream: LogStream, t: number, text: string, partial: boolean): LogLine {
    this.state.seq += 1;
    this.state[stream] += 1;
    const line = { seq: this.state.seq, n: this.state[stream], stream, t, text };
    return partial ? { ...line, partial } : line;
  }
}
