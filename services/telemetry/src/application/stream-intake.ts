import type { StreamMessage } from '@gantry/jetstream/stream-message';
import type { Clock } from '@gantry/kernel/clock';
import type { AppliedPositions } from './applied-positions.js';
import type { IntakeMetrics } from './intake-metrics.port.js';
import type { StreamProjection } from './stream-projection.port.js';

/** One stream's way into ClickHouse, used by the live consumer and by the replay alike. */
export class StreamIntake {
  /** First sequences of the batches that are being stored: what lies beyond them is not all there yet. */
  private readonly storing = new Map<readonly StreamMessage[], number>();
  private newest = 0;

  constructor(
    readonly stream: string,
    private readonly projections: readonly StreamProjection[],
    private readonly positions: AppliedPositions,
    private readonly metrics: IntakeMetrics,
    private readonly clock: Clock,
  ) {}

  reset(): void {
    for (const projection of this.projections) projection.reset?.();
  }

  async take(messages: readonly StreamMessage[]): Promise<void> {
    if (messages.length === 0) return;
    const sequences = messages.map((message) => message.streamSequence);
    this.storing.set(messages, Math.min(...sequences));
    try {
      for (const projection of this.projections) await projection.apply(messages);
    } finally {
      this.storing.delete(messages);
    }
    this.newest = Math.max(this.newest, ...sequences);
    this.positions.note(this.stream, Math.min(this.newest, ...[...this.storing.values()].map((first) => first - 1)));
    const oldest = messages.reduce((first, message) => Math.min(first, message.timestampMs), Number.POSITIVE_INFINITY);
    this.metrics.applied(this.stream, messages.length, (this.clock.now() - oldest) / 1_000);
  }
}
