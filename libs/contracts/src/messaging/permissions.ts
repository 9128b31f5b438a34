import { deadLetterRequests } from './dead-letters.js';
import { streams } from './streams.js';

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

/** Streams that each service makes and may purge; those of the agents are made by the service that reads them first. */
const madeBy: Record<ServiceName, readonly string[]> = {
  auth: [streams.auth.name],
  tasks: [streams.tasks.name, streams.artifacts.name, streams.reports.name],
  scheduler: [streams.assign.name, streams.sched.name, streams.fleet.name],
  telemetry: [streams.metrics.name, streams.logs.name],
  gateway: [],
};

/** Streams that each service makes and nobody may take anything out of. */
const keptBy: Partial<Record<ServiceName, readonly string[]>> = { tasks: [streams.archive.name] };

/** Reading, consumers, acknowledgements, replies: what every JetStream client needs. Nothing here changes a stream. */
const reading = [
  '$JS.API.INFO',
  '$JS.API.STREAM.INFO.*',
  '$JS.API.STREAM.NAMES',
  '$JS.API.STREAM.LIST',
  '$JS.API.STREAM.MSG.GET.*',
  '$JS.API.DIRECT.GET.>',
  '$JS.API.CONSUMER.>',
  '$JS.ACK.>',
  '$JS.FC.>',
  '_INBOX.>',
];

const make = (stream: string): string[] => [`$JS.API.STREAM.CREATE.${stream}`, `$JS.API.STREAM.UPDATE.${stream}`];
const empty = (stream: string): string[] => [`$JS.API.STREAM.PURGE.${stream}`, `$JS.API.STREAM.MSG.DELETE.${stream}`];

/** No service may delete a stream, not even its own. KV buckets are streams under `$KV`. */
const service = (
  name: ServiceName,
  publish: readonly string[],
  subscribe: readonly string[] = [],
): SubjectPermissions => ({
  publish: [
    ...reading,
    ...[...madeBy[name], `KV_${name}`].flatMap((stream) => [...make(stream), ...empty(stream)]),
    ...(keptBy[name] ?? []).flatMap(make),
    // Whoever consumes a stream makes the dead letters; nobody may drop one.
    ...make(streams.dlq.name),
    ...publish,
    `$KV.${name}.>`,
    'dlq.>',
  ],
  subscribe: ['_INBOX.>', `cmd.${name}.>`, `query.${name}.>`, ...subscribe],
});

export const servicePermissions: Record<ServiceName, SubjectPermissions> = {
  auth: service('auth', ['auth.>'], deadLetterRequests),
  tasks: service('tasks', ['tasks.>', 'archive.>', 'artifacts.>'], ['upload.>', ...deadLetterRequests]),
  scheduler: service('scheduler', ['assign.>', 'sched.>'], deadLetterRequests),
  telemetry: service('telemetry', [], deadLetterRequests),
  gateway: service('gateway', ['cmd.>', 'query.>'], ['tasks.>', 'fleet.>', 'metrics.>', 'logs.>']),
};

/** Backup and restore: every stream through the API, and the export of the embedded ClickHouse. Nobody's events. */
export const operatorPermissions: SubjectPermissions = {
  publish: ['$JS.API.>', '$JS.SNAPSHOT.>', 'cmd.telemetry.export-tables', '_INBOX.>'],
  subscribe: ['_INBOX.>'],
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
      // The filter is part of the subject: a reader of its own assignments only.
      `$JS.API.CONSUMER.CREATE.ASSIGN.*.assign.${workerId}`,
      '$JS.API.CONSUMER.INFO.ASSIGN.>',
      '$JS.API.CONSUMER.DELETE.ASSIGN.>',
      '$JS.API.CONSUMER.MSG.NEXT.ASSIGN.>',
      '$JS.FC.>',
      '_INBOX.>',
    ],
    subscribe: [`assign.${workerId}`, '_INBOX.>'],
  };
}
