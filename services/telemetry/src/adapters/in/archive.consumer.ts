import { streams } from '@gantry/contracts/messaging/streams';
import { HandleStreamBatch } from '@gantry/jetstream/nest/decorators';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import { Controller, Inject } from '@nestjs/common';
import { StreamIntake } from '../../application/stream-intake.js';
import { ARCHIVE_INTAKE } from '../../telemetry.tokens.js';
import { durableOf } from './durables.js';

@Controller()
export class ArchiveConsumer {
  constructor(@Inject(ARCHIVE_INTAKE) private readonly intake: StreamIntake) {}

  /** A segment is up to half a megabyte. */
  @HandleStreamBatch({ stream: streams.archive, durable: durableOf(streams.archive.name), maxMessages: 16 })
  store(messages: StreamMessage[]): Promise<void> {
    return this.intake.take(messages);
  }
}
