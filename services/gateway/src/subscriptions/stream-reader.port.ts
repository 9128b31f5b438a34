/** A message of a stream, as the feeds need it; `StreamMessage` of @gantry/jetstream is one. */
export interface StreamRecord {
  readonly subject: string;
  readonly streamSequence: number;
  json(): unknown;
}

export interface FollowRequest {
  stream: string;
  /** First sequence wanted; 1 = start. */
  from: number;
  filter?: string;
  /** Called one at a time; a promise is awaited before the next (back-pressure down to the broker). */
  onMessage(record: StreamRecord): void | Promise<void>;
  onCaughtUp?(): void;
  signal: AbortSignal;
  prefetch?: number;
}

/** Port to the streams: ordered, without gaps, through restarts of the broker. */
export interface StreamReader {
  /** The sequence that the next message of the stream will have; 1 while its owner has not made it. Waits for the broker. */
  next(stream: string): Promise<number>;
  follow(request: FollowRequest): Promise<void>;
}
