import { partitionOf } from './partition.js';

/**
 * The streams of DESIGN section 3 as data: `libs/jetstream` creates them, permissions are derived from them.
 * `owner` is the only service whose broker user may publish to the subjects.
 */
export interface StreamDefinition {
  readonly name: string;
  readonly owner: 'auth' | 'tasks' | 'scheduler' | 'agents' | 'any';
  readonly subjects: readonly string[];
  readonly storage: 'file' | 'memory';
  /** `limits` keeps by age and size; `workqueue` deletes what its one consumer acknowledged. */
  readonly retention: 'limits' | 'workqueue';
  /** Milliseconds; 0 = for ever. */
  readonly maxAgeMs: number;
  /** Bytes; -1 = unlimited. A full stream refuses new messages unless `discard` is `old`. */
  readonly maxBytes: number;
  readonly maxMessagesPerSubject: number;
  readonly discard: 'old' | 'new';
  /** How long a repeated `Nats-Msg-Id` is recognised, milliseconds. */
  readonly duplicateWindowMs: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MEBIBYTE = 1024 * 1024;
const GIBIBYTE = 1024 * MEBIBYTE;

const forEver = {
  storage: 'file',
  retention: 'limits',
  maxAgeMs: 0,
  maxBytes: -1,
  maxMessagesPerSubject: -1,
  discard: 'new',
  duplicateWindowMs: 2 * MINUTE,
} as const;

export const streams = {
  auth: { ...forEver, name: 'AUTH', owner: 'auth', subjects: ['auth.>'] },
  tasks: { ...forEver, name: 'TASKS', owner: 'tasks', subjects: ['tasks.>'] },
  /** Segments of tasks that ended long ago, compressed: see `tasks/archive-segment`. Nothing ever leaves it. */
  archive: { ...forEver, name: 'ARCHIVE', owner: 'tasks', subjects: ['archive.>'] },
  artifacts: { ...forEver, name: 'ARTIFACTS', owner: 'tasks', subjects: ['artifacts.>'] },
  assign: { ...forEver, name: 'ASSIGN', owner: 'scheduler', subjects: ['assign.*'], maxAgeMs: DAY },
  sched: { ...forEver, name: 'SCHED', owner: 'scheduler', subjects: ['sched.>'], maxAgeMs: 7 * DAY },
  reports: { ...forEver, name: 'REPORTS', owner: 'agents', subjects: ['report.>'], retention: 'workqueue' },
  fleet: {
    ...forEver,
    name: 'FLEET',
    owner: 'agents',
    subjects: ['fleet.*'],
    storage: 'memory',
    maxMessagesPerSubject: 1,
    discard: 'old',
    duplicateWindowMs: MINUTE,
  },
  metrics: {
    ...forEver,
    name: 'METRICS',
    owner: 'agents',
    subjects: ['metrics.*'],
    maxAgeMs: 30 * MINUTE,
    maxBytes: 512 * MEBIBYTE,
    discard: 'old',
  },
  logs: {
    ...forEver,
    name: 'LOGS',
    owner: 'agents',
    subjects: ['logs.*.*'],
    maxAgeMs: 6 * HOUR,
    maxBytes: 8 * GIBIBYTE,
    discard: 'old',
  },
  dlq: { ...forEver, name: 'DLQ', owner: 'any', subjects: ['dlq.>'], maxAgeMs: 30 * DAY },
} as const satisfies Record<string, StreamDefinition>;

/** The one consumer of REPORTS: what it has acknowledged is in TASKS. */
export const REPORTS_CONSUMER = 'tasks-reports';

/** Subjects, built in one place. Ids are UUIDs or worker ids of `[a-z0-9-]`, so they are always one token. */
export const subjects = {
  authUser: (userId: string) => `auth.user.${userId}`,
  /** `emailHash`: hex SHA-256 of the lower-cased address; reserves the address for one user. */
  authEmail: (emailHash: string) => `auth.email.${emailHash}`,
  authSession: (sessionId: string) => `auth.session.${sessionId}`,
  authKey: (keyId: string) => `auth.key.${keyId}`,
  task: (taskId: string) => `tasks.${partitionOf(taskId)}.${taskId}`,
  archivedTasks: 'archive.tasks',
  artifact: (taskId: string, artifactId: string) => `artifacts.${taskId}.${artifactId}`,
  assign: (workerId: string) => `assign.${workerId}`,
  sched: (kind: string, id: string) => `sched.${kind}.${id}`,
  report: (workerId: string, taskId: string) => `report.${workerId}.${taskId}`,
  fleet: (workerId: string) => `fleet.${workerId}`,
  metrics: (workerId: string) => `metrics.${workerId}`,
  /** The worker is part of the subject so that a worker's credentials reach only its own log subjects. */
  logs: (workerId: string, taskId: string) => `logs.${workerId}.${taskId}`,
  logsOfTask: (taskId: string) => `logs.*.${taskId}`,
  deadLetter: (stream: string, consumer: string) => `dlq.${stream}.${consumer}`,
  /** What became of a dead letter. No stream is called `resolved`, so it never meets a letter's own subject. */
  deadLetterResolution: (id: string) => `dlq.resolved.${id}`,
} as const;
