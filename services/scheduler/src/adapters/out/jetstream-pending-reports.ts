import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { PendingReports } from '../../application/scheduling.ports.js';

/** REPORTS is a work queue: what is still in it has not been consumed. */
export class JetStreamPendingReports implements PendingReports {
  private manager: JetStreamManager | undefined;

  constructor(private readonly nc: NatsConnection) {}

  async has(workerId: string, taskId: string): Promise<boolean> {
    this.manager ??= await jetstreamManager(this.nc, { checkAPI: false });
    const subject = subjects.report(workerId, taskId);
    try {
      const { state } = await this.manager.streams.info(streams.reports.name, { subjects_filter: subject });
      return (state.subjects?.[subject] ?? 0) > 0;
    } catch (error) {
      if ((error as { code?: unknown }).code === STREAM_NOT_FOUND) return false;
      throw error;
    }
  }
}

const STREAM_NOT_FOUND = 10_059;
