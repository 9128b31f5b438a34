/** How far this service is with a stream, as the broker knows it. */
export interface ConfirmedStream {
  /** Everything up to here that was delivered has been stored. */
  acknowledgedSequence(stream: string): Promise<number>;
  /** Whether the message is still there. */
  holds(stream: string, sequence: number): Promise<boolean>;
}
