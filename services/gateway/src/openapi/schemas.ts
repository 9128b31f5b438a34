import { z } from 'zod';
import {
  apiKeyViewSchema,
  sessionViewSchema,
  tokenPairSchema,
  userViewSchema,
} from '@gantry/contracts/auth/auth-requests';
import { deadLetterDetailSchema, deadLetterSchema } from '@gantry/contracts/messaging/dead-letters';
import { metricBatchSchema } from '@gantry/contracts/agents/metric-batch';
import { explanationSchema, workerStatuses, workerViewSchema } from '@gantry/contracts/scheduling/scheduler-requests';
import { artifactSchema, taskStatusSchema } from '@gantry/contracts/tasks/task-status';
import { submitTask, timelineEntrySchema } from '@gantry/contracts/tasks/task-requests';
import { taskViewSchema } from '@gantry/contracts/tasks/task-view';
import { getSeries, getSummary, readLogs } from '@gantry/contracts/telemetry/telemetry-requests';
import { errorKinds } from '@gantry/kernel/gantry-error';

const status = z.enum(['healthy', 'degraded', 'unhealthy']);

/** What replies are made of; the contracts' own schemas wherever there is one. */
export const schemas = {
  Error: z.object({
    error: z.object({
      code: z.string(),
      kind: z.enum(errorKinds),
      message: z.string(),
      retryable: z.boolean(),
      fields: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    }),
  }),
  User: userViewSchema,
  TokenPair: tokenPairSchema.extend({ refreshToken: z.string().nullable() }),
  ApiKey: apiKeyViewSchema,
  Session: sessionViewSchema.extend({ current: z.boolean() }),
  Task: taskViewSchema,
  Submission: submitTask.output,
  TimelineEntry: timelineEntrySchema,
  Explanation: explanationSchema,
  Artifact: artifactSchema.extend({ url: z.string() }),
  DownloadTicket: z.object({ url: z.string(), expiresAt: z.int() }),
  LogPage: readLogs.output,
  Series: getSeries.output,
  Worker: workerViewSchema,
  WorkerUsage: workerViewSchema
    .pick({ id: true, usage: true, allocated: true, counters: true, lastHeartbeatAt: true })
    .extend({ name: z.string(), status: z.enum(workerStatuses), capacity: workerViewSchema.shape.spec.shape.capacity }),
  Summary: z.object({
    ...getSummary.output.shape,
    byStatus: z.array(z.object({ status: taskStatusSchema, count: z.int() })),
    activeWorkers: z.int(),
    totalWorkers: z.int(),
    degraded: z.boolean(),
  }),
  DeadLetter: deadLetterSchema,
  DeadLetterDetail: deadLetterDetailSchema,
  Health: z.object({ status, services: z.record(z.string(), status), reasons: z.array(z.string()) }),
  MetricUpdate: metricBatchSchema.pick({ workerId: true, host: true, gpus: true, tasks: true }),
} as const satisfies Record<string, z.ZodType>;
export type SchemaName = keyof typeof schemas;
