import { streams } from '@gantry/contracts/messaging/streams';
import { HandleStreamBatch } from '@gantry/jetstream/nest/decorators';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import { Controller, Inject } from '@nestjs/common';
import { StreamIntake } from '../../application/stream-intake.js';
import { METRICS_INTAKE } from '../../telemetry.tokens.js';
import { durableOf } from './durables.js';

@Controller()
export class MetricsConsumer {
  constructor(@Inject(METRICS_INTAKE) private readonly intake: StreamIntake) {}

  @HandleStreamBatch({
    stream: streams.metrics,
    durable: durableOf(streams.metrics.name),
    maxMessages: 400,
    maxWaitMs: 150,
    // Pages get the newest samples pushed; this is what a chart that is opened now may lack.
    busyWaitMs: 2_000,
    // One batch is parsed while the engine stores another.
    lanes: 2,
  })
  store(messages: StreamMessage[]): Promise<void> {
    return this.intake.take(messages);
  }
}
