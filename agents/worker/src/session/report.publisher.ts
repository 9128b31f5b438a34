import type { Report, ReportBody } from '@gantry/contracts/agents/report';
import { subjects } from '@gantry/contracts/messaging/streams';
import { publishJson } from '@gantry/jetstream/publisher';
import type { Clock } from '@gantry/kernel/clock';
import type { Logger } from '@gantry/nest-platform/logger';
import type { NatsConnection } from '@nats-io/transport-node';

export interface AttemptReports {
  /** Resolves when the stream has it; rejects only if the signal aborts or the broker refuses it for good. */
  send(
    of: { taskId: string; attempt: number },
    report: ReportBody,
    discriminator: string,
    signal: AbortSignal,
  ): Promise<void>;
}

/** Publishes reports; each is repeated under the same id until the broker has it. */
export class ReportPublisher implements AttemptReports {
  constructor(
    private readonly nc: NatsConnection,
    private readonly workerId: string,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  async send(
    of: { taskId: string; attempt: number },
    body: ReportBody,
    discriminator: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { taskId, attempt } = of;
    const report: Report = {
      id: `${taskId}:${attempt}:${discriminator}`,
      workerId: this.workerId,
      taskId,
      attempt,
      at: this.clock.now(),
      report: body,
    };
    await publishJson(this.nc, subjects.report(this.workerId, taskId), report, { msgId: report.id, signal });
    this.logger.debug({ taskId, attempt, report: body.type }, 'report stored');
  }
}
