import { reportSchema } from '@gantry/contracts/agents/report';
import { REPORTS_CONSUMER, streams, subjects } from '@gantry/contracts/messaging/streams';
import { HandleStream } from '@gantry/jetstream/nest/decorators';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import { GantryError } from '@gantry/kernel/gantry-error';
import { Controller, Inject } from '@nestjs/common';
import { RecordReportHandler } from '../../application/record-report.handler.js';
import { taskErrors } from '../../domain/task/task.errors.js';
import { RECORD_GATHER_MS } from './record-gather.js';

@Controller()
export class ReportsConsumer {
  constructor(@Inject(RecordReportHandler) private readonly handler: RecordReportHandler) {}

  @HandleStream({
    stream: streams.reports,
    durable: REPORTS_CONSUMER,
    maxInFlight: 512,
    gatherMs: RECORD_GATHER_MS,
  })
  async onReport(message: StreamMessage): Promise<void> {
    const parsed = reportSchema.safeParse(message.json());
    if (!parsed.success) {
      throw new GantryError('TASK.UNREADABLE_REPORT', 'invalid', 'The report does not fit its contract.', {
        cause: parsed.error,
      });
    }
    const report = parsed.data;
    if (message.subject !== subjects.report(report.workerId, report.taskId)) throw taskErrors.foreignSubject();
    await this.handler.handle(report);
  }
}
