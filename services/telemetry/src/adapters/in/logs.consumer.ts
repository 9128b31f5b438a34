import { streams } from '@gantry/contracts/messaging/streams';
import { HandleStreamBatch } from '@gantry/jetstream/nest/decorators';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import { Controller, Inject } from '@nestjs/common';
import { StreamIntake } from '../../application/stream-intake.js';
import { LOGS_INTAKE } from '../../telemetry.tokens.js';
import { durableOf } from './durables.js';

@Controller()
export class LogsConsumer {
  constructor(@Inject(LOGS_INTAKE) private readonly intake: StreamIntake) {}

  @HandleStreamBatch({
    stream: streams.logs,
    durable: durableOf(streams.logs.name),
    maxMessages: 500,
    maxWaitMs: 100,
    // A page of the log of a task that has just ended waits three seconds for this at most.
    busyWaitMs: 1_000,
  })
  store(messages: StreamMessage[]): Promise<void> {
    return this.intake.take(messages);
  }
}
