import type { FrameStream } from '../../../domain/logs/log-frame.parser.js';

/** First line of a connection: what comes after it is the output of a sandbox. It is answered with one line feed. */
export interface SpoolRequest {
  readonly folder: string;
  readonly stream: FrameStream;
  readonly limitBytes: number;
}

/** What the spooler tells its agent. */
export type SpoolerMessage =
  | { readonly type: 'ready' }
  /** `problem`: why the disk takes nothing; absent = it does again. */
  | { readonly type: 'disk'; readonly folder: string; readonly problem?: string };
