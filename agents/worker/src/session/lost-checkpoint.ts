import { logChunkSchema } from '@gantry/contracts/agents/log-chunk';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { freshNumbering } from '../domain/logs/line-numbering.js';
import type { LogCheckpoint } from './attempt-record.js';
import { noneAsNull } from './log-chunk.publisher.js';

/**
 * A checkpoint for a log whose own was lost, made of what the stream holds. Lines of the agent's own cannot be known again by their
 * places between those that are read, so these are not numbered a second time: of each stream as many are passed over as the stream has
 * (`n` counts dropped ones too), and the next one goes on after the newest number.
 */
export async function checkpointFromStream(
  nc: NatsConnection,
  of: { readonly taskId: string; readonly attempt: number; readonly workerId: string },
): Promise<LogCheckpoint> {
  const manager = await jetstreamManager(nc, { checkAPI: false });
  const subject = subjects.logs(of.workerId, of.taskId);
  const numbering = { ...freshNumbering };
  for (let next = 1; ;) {
    const query = { seq: next, next_by_subj: subject };
    const message = await manager.streams.getMessage(streams.logs.name, query).catch(noneAsNull);
    if (message === null) break;
    next = message.seq + 1;
    const chunk = logChunkSchema.parse(message.json());
    if (chunk.attempt !== of.attempt) continue;
    for (const { seq, stream, n } of chunk.lines) {
      numbering.seq = Math.max(numbering.seq, seq);
      numbering[stream] = Math.max(numbering[stream], n);
    }
  }
  const { stdout, stderr } = numbering;
  return { version: 1, cursor: {}, numbering, skip: { stdout, stderr }, systemLines: [] };
}
