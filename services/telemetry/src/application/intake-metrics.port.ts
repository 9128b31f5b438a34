/** Port for the numbers that operators watch. */
export interface IntakeMetrics {
  /** `delaySeconds`: from the broker's storing of the batch's oldest message to its being readable. */
  applied(stream: string, messages: number, delaySeconds: number): void;
}
