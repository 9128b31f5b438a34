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
    // A task writes about five commits within moments: those that share a batch become one row of the index, and fewer,
    // larger parts are what ClickHouse merges cheaply. Active tasks are listed by the tasks service, so nobody waits for this.
    maxMessages: 8_000,
    maxWaitMs: 250,
    busyWaitMs: 2_000,
  })
  store(messages: StreamMessage[]): Promise<void> {
    return this.intake.take(messages);
  }
}
