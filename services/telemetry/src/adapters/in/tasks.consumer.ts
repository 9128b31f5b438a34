import { streams } from '@gantry/contracts/messaging/streams';
import { HandleStreamBatch } from '@gantry/jetstream/nest/decorators';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import { Controller, Inject } from '@nestjs/common';
import { StreamIntake } from '../../application/stream-intake.js';
import { TASKS_INTAKE } from '../../telemetry.tokens.js';
import { durableOf } from './durables.js';

@Controller()
export class TasksConsumer {
  constructor(@Inject(TASKS_INTAKE) private readonly intake: StreamIntake) {}

  @HandleStreamBatch({
    stream: streams.tasks,
    durable: durableOf(streams.tasks.name),
    maxMessages: 1_000,
    maxWaitMs: 100,
  })
  store(messages: StreamMessage[]): Promise<void> {
    return this.intake.take(messages);
  }
}
