import type { FrameStream } from './log-frame.parser.js';

/** A line before it is numbered. `t`: epoch milliseconds. */
export interface RawLine {
  readonly stream: FrameStream;
  readonly t: number;
  readonly text: string;
  /** Cut at the length limit; goes on in the next line of the same stream. */
  readonly partial: boolean;
}

/** A place between two frames of one stream: so many frames with this time stamp, and all earlier ones, are done. */
export interface StreamPosition {
  readonly seconds: number;
  readonly nanos: number;
  readonly count: number;
}

/** Where reading goes on. Of an engine's log: a missing stream has not said anything yet. Of a sandbox's spool: the bytes before it. */
export interface LogCursor {
  readonly stdout?: StreamPosition;
  readonly stderr?: StreamPosition;
  readonly spool?: number;
}
