import { streams } from '@gantry/contracts/messaging/streams';
import { HandleStreamBatch } from '@gantry/jetstream/nest/decorators';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import { Controller, Inject } from '@nestjs/common';
import { StreamIntake } from '../../application/stream-intake.js';
import { ASSIGN_INTAKE } from '../../telemetry.tokens.js';
import { durableOf } from './durables.js';

@Controller()
export class AssignConsumer {
  constructor(@Inject(ASSIGN_INTAKE) private readonly intake: StreamIntake) {}

  @HandleStreamBatch({
    stream: streams.assign,
    durable: durableOf(streams.assign.name),
    maxMessages: 500,
    maxWaitMs: 1_000,
    busyWaitMs: 2_000,
  })
  store(messages: StreamMessage[]): Promise<void> {
    return this.intake.take(messages);
  }
}
