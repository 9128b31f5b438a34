import { REPORTS_CONSUMER, streams, subjects } from '@gantry/contracts/messaging/streams';
import { JetStreamApiCodes, JetStreamApiError, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { PendingReports } from '../../application/scheduling.ports.js';

/** REPORTS is a work queue: what is still in it has hardly ever been consumed. */
export class JetStreamPendingReports implements PendingReports {
  private manager: JetStreamManager | undefined;

  constructor(private readonly nc: NatsConnection) {}

  async has(workerId: string, taskId: string): Promise<boolean> {
    this.manager ??= await jetstreamManager(this.nc, { checkAPI: false });
    const { streams: stored, consumers } = this.manager;
    const stream = streams.reports.name;
    const subject = subjects.report(workerId, taskId);
    const info = await unless(JetStreamApiCodes.StreamNotFound, stored.info(stream, { subjects_filter: subject }));
    if ((info?.state.subjects?.[subject] ?? 0) === 0) return false;
    // What is acknowledged while a snapshot of the stream is taken, for a backup, stays in it.
    const newest = await stored.getMessage(stream, { last_by_subj: subject });
    if (newest === null) return false;
    const consumer = await unless(JetStreamApiCodes.ConsumerNotFound, consumers.info(stream, REPORTS_CONSUMER));
    return consumer === undefined || newest.seq > consumer.ack_floor.stream_seq;
  }
}

async function unless<T>(code: number, answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === code) return undefined;
    throw error;
  }
}
