import { deadLetterRequests } from './dead-letters.js';

/**
 * What each broker user may publish and subscribe, derived from the table of streams (one writer per stream).
 * Shared by the embedded broker's configuration and by the production templates.
 */
export interface SubjectPermissions {
  publish: readonly string[];
  subscribe: readonly string[];
}

export const serviceNames = ['auth', 'tasks', 'scheduler', 'telemetry', 'gateway'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** Needed by every JetStream client: the API, acknowledgements, replies. KV buckets are streams under `$KV`. */
const jetstreamClient = ['$JS.API.>', '$JS.ACK.>', '$JS.FC.>', '_INBOX.>'];

const service = (
  name: ServiceName,
  publish: readonly string[],
  subscribe: readonly string[] = [],
): SubjectPermissions => ({
  publish: [...jetstreamClient, ...publish, `$KV.${name}.>`, 'dlq.>'],
  subscribe: ['_INBOX.>', `cmd.${name}.>`, `query.${name}.>`, ...subscribe],
});

export const servicePermissions: Record<ServiceName, SubjectPermissions> = {
  auth: service('auth', ['auth.>']),
  tasks: service('tasks', ['tasks.>', 'artifacts.>'], ['upload.>', ...deadLetterRequests]),
  scheduler: service('scheduler', ['assign.>', 'sched.>']),
  telemetry: service('telemetry', [], deadLetterRequests),
  gateway: service('gateway', ['cmd.>', 'query.>'], ['tasks.>', 'fleet.>', 'metrics.>', 'logs.>']),
};

/** `workerId` is a single token; an agent reaches nothing but its own subjects. */
export function workerPermissions(workerId: string): SubjectPermissions {
  return {
    publish: [
      `report.${workerId}.>`,
      `fleet.${workerId}`,
      `metrics.${workerId}`,
      `logs.${workerId}.>`,
      `upload.${workerId}.>`,
      '$JS.API.INFO',
      '$JS.API.STREAM.INFO.ASSIGN',
      '$JS.API.STREAM.MSG.GET.ASSIGN',
      '$JS.API.STREAM.INFO.LOGS',
      '$JS.API.STREAM.MSG.GET.LOGS',
      '$JS.API.CONSUMER.CREATE.ASSIGN',
      '$JS.API.CONSUMER.CREATE.ASSIGN.>',
      '$JS.API.CONSUMER.INFO.ASSIGN.>',
      '$JS.API.CONSUMER.DELETE.ASSIGN.>',
      '$JS.API.CONSUMER.MSG.NEXT.ASSIGN.>',
      '$JS.FC.>',
      '_INBOX.>',
    ],
    subscribe: [`assign.${workerId}`, '_INBOX.>'],
  };
}
