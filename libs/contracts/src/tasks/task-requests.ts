import { z } from 'zod';
import { defineRequest } from '../messaging/request.js';
import { artifactSchema, taskStatusSchema } from './task-status.js';
import { taskSpecSchema } from './task-spec.js';
import { taskViewSchema } from './task-view.js';

const taskId = z.uuid('A task id is a UUID.');

/** `visibleTo`: null = all tasks (admins); else only this owner's. The service applies it, whatever else is asked. */
const visibility = { visibleTo: z.string().nullable() };

export const submitTask = defineRequest({
  subject: 'cmd.tasks.submit-task',
  input: z.strictObject({ spec: taskSpecSchema, idempotencyKey: z.string().min(1).max(200).optional() }),
  output: z.object({
    task: taskViewSchema,
    /** 1 = next. Tasks of the same queue that stand before it, plus one. Null once it left the queue. */
    queuePosition: z.number().int().nullable(),
    /** True if the key had been used before: `task` is that earlier one. */
    duplicate: z.boolean(),
  }),
});

export const cancelTask = defineRequest({
  subject: 'cmd.tasks.cancel-task',
  input: z.strictObject({
    taskId,
    ...visibility,
    reason: z.string().max(500).optional(),
    graceMs: z.int().min(0).max(600_000).optional(),
  }),
  output: taskViewSchema,
});

/** A new task with the same spec that links to the old one by `retryOf`; the old one stays as it ended. */
export const retryTask = defineRequest({
  subject: 'cmd.tasks.retry-task',
  input: z.strictObject({ taskId, ...visibility, idempotencyKey: z.string().min(1).max(200).optional() }),
  output: taskViewSchema,
});

/** Only tasks that have ended; their artifacts go with them. */
export const deleteTask = defineRequest({
  subject: 'cmd.tasks.delete-task',
  input: z.strictObject({ taskId, ...visibility }),
  output: z.object({}),
});

export const timelineEntrySchema = z.object({
  streamSequence: z.number().int(),
  version: z.number().int(),
  occurredAt: z.number().int(),
  actor: z.string(),
  type: z.string(),
  data: z.unknown(),
});
export type TimelineEntry = z.infer<typeof timelineEntrySchema>;

export const getTask = defineRequest({
  subject: 'query.tasks.get-task',
  input: z.strictObject({ taskId, ...visibility }),
  output: z.object({ task: taskViewSchema, queuePosition: z.number().int().nullable() }),
});

/** The events of one task, oldest first. */
export const getTaskHistory = defineRequest({
  subject: 'query.tasks.get-task-history',
  input: z.strictObject({ taskId, ...visibility }),
  output: z.object({ entries: z.array(timelineEntrySchema) }),
});

export const taskFilterSchema = z.strictObject({
  statuses: z.array(taskStatusSchema).max(20).optional(),
  workerId: z.string().max(100).optional(),
  ownerId: z.string().max(100).optional(),
  tag: z.string().max(63).optional(),
  queue: z.string().max(63).optional(),
  /** Substring of the name (case-insensitive) or a prefix of the id. */
  search: z.string().max(200).optional(),
});
export type TaskFilter = z.infer<typeof taskFilterSchema>;

export const taskSortSchema = z.enum(['created', 'status', 'duration']);
export type TaskSort = z.infer<typeof taskSortSchema>;

/**
 * Keyset position in a list: the sort value of the last row seen and its id. Sort values are numbers: `created` = epoch
 * ms, `duration` = ms (unfinished: up to now), `status` = index in `taskStatuses`.
 */
export const listPositionSchema = z.object({ value: z.number(), id: z.string() });
export type ListPosition = z.infer<typeof listPositionSchema>;

export const taskListInputSchema = z.strictObject({
  ...visibility,
  filter: taskFilterSchema.default({}),
  sort: taskSortSchema.default('created'),
  descending: z.boolean().default(true),
  after: listPositionSchema.optional(),
  limit: z.int().min(1).max(200).default(50),
  /** Frozen "now" for durations, so that pages of one walk agree. Epoch ms. */
  now: z.int(),
});
export type TaskListInput = z.output<typeof taskListInputSchema>;

/**
 * The tasks that the service holds in memory: every active one and those that ended recently, in the same order and
 * with the same filters as telemetry's search. The gateway merges both by id (higher version wins), so that a fresh task is
 * listed at once and the list still works without ClickHouse.
 */
export const listRecentTasks = defineRequest({
  subject: 'query.tasks.list-recent',
  input: taskListInputSchema,
  output: z.object({ tasks: z.array(taskViewSchema) }),
});

/** Exact numbers per status of what the service holds (active: all; ended: since the service counts, see `since`). */
export const countTasks = defineRequest({
  subject: 'query.tasks.count-tasks',
  input: z.strictObject({ ...visibility }),
  output: z.object({ byStatus: z.record(taskStatusSchema, z.number().int()) }),
});

export const MAX_ARTIFACT_READ_BYTES = 512 * 1024;

/** Raw bytes [offset, offset + length) of one artifact, fewer at its end. */
export const readArtifact = defineRequest({
  subject: 'query.tasks.read-artifact',
  input: z.strictObject({
    taskId,
    ...visibility,
    artifactId: z.string().max(100),
    offset: z.int().min(0),
    length: z.int().min(1).max(MAX_ARTIFACT_READ_BYTES),
  }),
  output: z.object({}),
  outputBytes: true,
});

export const getArtifact = defineRequest({
  subject: 'query.tasks.get-artifact',
  input: z.strictObject({ taskId, ...visibility, artifactId: z.string().max(100) }),
  output: artifactSchema,
});
