/** A message of a stream, as the feeds need it; `StreamMessage` of @gantry/jetstream is one. */
export interface StreamRecord {
  readonly subject: string;
  readonly streamSequence: number;
  json(): unknown;
}

export interface FollowRequest {
  stream: string;
  /** `new`: only what comes from now on. */
  from: 'new' | number;
  filter?: string;
  /** Called one at a time; a promise is awaited before the next (back-pressure down to the broker). */
  onMessage(record: StreamRecord): void | Promise<void>;
  onCaughtUp?(): void;
  signal: AbortSignal;
  prefetch?: number;
}

/** Port to the streams: ordered, without gaps, through restarts of the broker. */
export interface StreamReader {
  follow(request: FollowRequest): Promise<void>;
}
