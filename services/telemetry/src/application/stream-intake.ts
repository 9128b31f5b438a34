import type { StreamMessage } from '@gantry/jetstream/stream-message';
import type { Clock } from '@gantry/kernel/clock';
import type { AppliedPositions } from './applied-positions.js';
import type { IntakeMetrics } from './intake-metrics.port.js';
import type { StreamProjection } from './stream-projection.port.js';

/** One stream's way into ClickHouse, used by the live consumer and by the replay alike. */
export class StreamIntake {
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
    for (const projection of this.projections) await projection.apply(messages);
    this.positions.note(
      this.stream,
      messages.reduce((newest, message) => Math.max(newest, message.streamSequence), 0),
    );
    const oldest = messages.reduce((first, message) => Math.min(first, message.timestampMs), Number.POSITIVE_INFINITY);
    this.metrics.applied(this.stream, messages.length, (this.clock.now() - oldest) / 1_000);
  }
}
