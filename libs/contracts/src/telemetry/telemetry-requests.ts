import { z } from 'zod';
import { logLineSchema, logStreamSchema } from '../agents/log-chunk.js';
import { defineRequest } from '../messaging/request.js';
import { taskListInputSchema, timelineEntrySchema } from '../tasks/task-requests.js';
import { taskViewSchema } from '../tasks/task-view.js';
import { taskStatusSchema } from '../tasks/task-status.js';

const time = z.number().int();
const visibility = { visibleTo: z.string().nullable() };

/** Rows of the task index in ClickHouse, same order and filters as `listRecentTasks`. */
export const searchTasks = defineRequest({
  subject: 'query.telemetry.search-tasks',
  input: taskListInputSchema,
  output: z.object({
    tasks: z.array(taskViewSchema),
    /** True if fewer rows came than there are because one reply could not hold them: ask again after the last one. */
    more: z.boolean().optional(),
  }),
});

/** One task from the index (after it left the tasks service's stream). */
export const getArchivedTask = defineRequest({
  subject: 'query.telemetry.get-archived-task',
  input: z.strictObject({ taskId: z.uuid(), ...visibility }),
  output: z.object({ task: taskViewSchema, entries: z.array(timelineEntrySchema) }),
});

export const hostMetrics = [
  'cpu_percent',
  'memory_used_mb',
  'load1',
  'storage_used_mb',
  'network_rx_bps',
  'network_tx_bps',
  'disk_read_bps',
  'disk_write_bps',
] as const;
export const taskMetrics = [
  'cpu_percent',
  'memory_used_mb',
  'network_rx_bps',
  'network_tx_bps',
  'disk_read_bps',
  'disk_write_bps',
  'processes',
] as const;
export const gpuMetrics = [
  'utilization_percent',
  'memory_used_mb',
  'temperature_c',
  'power_watts',
  'sm_clock_mhz',
  'memory_clock_mhz',
  'ecc_errors',
] as const;

export const MAX_POINTS = 2_000;

/** `*_bps` are bytes per second. */
export const getSeries = defineRequest({
  subject: 'query.telemetry.get-series',
  input: z.strictObject({
    source: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('host'), workerId: z.string().max(100) }),
      z.strictObject({ kind: z.literal('task'), taskId: z.uuid(), attempt: z.int().optional() }),
      /** All GPUs of a worker, or those that a task held. One series per GPU and metric. */
      z.strictObject({ kind: z.literal('gpu'), workerId: z.string().max(100).optional(), taskId: z.uuid().optional() }),
      /** Averages over the samples of all workers, one series a metric, by the minute at the finest and up to a minute late. */
      z.strictObject({ kind: z.literal('fleet_host') }),
      z.strictObject({ kind: z.literal('fleet_gpu') }),
    ]),
    metrics: z
      .array(z.enum([...new Set([...hostMetrics, ...taskMetrics, ...gpuMetrics])] as [string, ...string[]]))
      .min(1)
      .max(20),
    from: time,
    to: time,
    /** Seconds; chosen from the range when absent, and widened until no series has more than 2,000 points. */
    bucketSeconds: z.int().min(1).max(86_400).optional(),
  }),
  output: z.object({
    bucketSeconds: z.number(),
    series: z.array(
      z.object({
        metric: z.string(),
        /** GPU id, or '' */
        key: z.string(),
        /** For people: "GPU 0 (NVIDIA A100)". */
        label: z.string(),
        /** [bucket start in epoch ms, average]; empty buckets are absent. */
        points: z.array(z.tuple([z.number(), z.number()])),
      }),
    ),
  }),
});

export const readLogs = defineRequest({
  subject: 'query.telemetry.read-logs',
  input: z.strictObject({
    taskId: z.uuid(),
    /** Default: the newest attempt that has lines. */
    attempt: z.int().min(1).optional(),
    /** Lines with seq > afterSeq, ascending. */
    afterSeq: z.int().min(0).optional(),
    /** Lines with seq < beforeSeq: the last `limit` of them, still ascending. */
    beforeSeq: z.int().min(1).optional(),
    /** With neither: the last `limit` lines if true, else the first. */
    tail: z.boolean().default(false),
    stream: logStreamSchema.optional(),
    /** Case-insensitive substring. */
    search: z.string().max(500).optional(),
    limit: z.int().min(1).max(10_000).default(1_000),
  }),
  output: z.object({
    attempt: z.number().int().nullable(),
    lines: z.array(logLineSchema),
    /** Largest seq known for the attempt. */
    lastSeq: z.number().int(),
    /** True once the agent said that nothing follows. */
    complete: z.boolean(),
  }),
});

export const getSummary = defineRequest({
  subject: 'query.telemetry.get-summary',
  input: z.strictObject({ ...visibility, now: time }),
  output: z.object({
    total: z.number().int(),
    last24h: z.number().int(),
    byStatus: z.record(taskStatusSchema, z.number().int()),
    /** Oldest first, 24 hours, gaps filled with zero. */
    perHour: z.array(
      z.object({ hour: time, submitted: z.number().int(), succeeded: z.number().int(), failed: z.number().int() }),
    ),
    /** Seconds, of succeeded tasks of the last 24 h; null without any. */
    averageDurationSeconds: z.number().nullable(),
  }),
});

/**
 * Only for the operator's broker user, for a backup: writes every table of the embedded ClickHouse into files of the Native
 * format beside its data and answers where. The asker moves or deletes them.
 */
export const exportTables = defineRequest({
  subject: 'cmd.telemetry.export-tables',
  input: z.object({}),
  output: z.object({
    database: z.string(),
    tables: z.array(z.object({ name: z.string(), create: z.string(), path: z.string() })),
  }),
  timeoutMs: 60 * 60_000,
});

export const getWorkerTasks = defineRequest({
  subject: 'query.telemetry.get-worker-tasks',
  input: z.strictObject({ workerId: z.string().max(100), ...visibility, limit: z.int().min(1).max(200).default(50) }),
  output: z.object({ tasks: z.array(taskViewSchema) }),
});
