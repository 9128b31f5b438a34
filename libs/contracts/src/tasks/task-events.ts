import { z } from 'zod';
import { memoryMbSchema } from '../resources.js';
import { artifactSchema, failureSchema, usageSchema } from './task-status.js';
import { taskSpecSchema } from './task-spec.js';

const time = z.number().int();
const attempt = z.number().int().min(1);

/**
 * Events of stream TASKS, version 1. One aggregate per task. Times are epoch milliseconds.
 * `attempt` counts from 1; whatever carries an older attempt than the task's current one changes nothing.
 */
export const taskEventSchemas = {
  TaskSubmitted: z.object({
    ownerId: z.string(),
    ownerName: z.string(),
    spec: taskSpecSchema,
    /** The task this one repeats, if a user retried it. */
    retryOf: z.string().optional(),
    submittedAt: time,
  }),
  TaskAssigned: z.object({
    attempt,
    workerId: z.string(),
    workerName: z.string(),
    leaseMs: z.number().int(),
    gpuIds: z.array(z.string()),
    assignedAt: time,
  }),
  /** The agent has it. `phase` moves forward only. */
  TaskStarting: z.object({ attempt, phase: z.enum(['accepted', 'pulling', 'creating']), at: time }),
  /** Image pull progress and the like; `percent` 0-100 if known. */
  TaskProgressed: z.object({
    attempt,
    percent: z.number().min(0).max(100).optional(),
    message: z.string().optional(),
    at: time,
  }),
  TaskStarted: z.object({ attempt, startedAt: time, containerId: z.string() }),
  ArtifactStored: z.object({ artifact: artifactSchema }),
  TaskCancelRequested: z.object({
    requestedBy: z.string(),
    reason: z.string().optional(),
    graceMs: z.number().int(),
    at: time,
  }),
  TaskSucceeded: z.object({ attempt, exitCode: z.number().int(), finishedAt: time, usage: usageSchema.optional() }),
  TaskFailed: z.object({
    attempt,
    failure: failureSchema,
    exitCode: z.number().int().optional(),
    finishedAt: time,
    usage: usageSchema.optional(),
  }),
  TaskCancelled: z.object({ attempt: z.number().int().min(0), finishedAt: time, usage: usageSchema.optional() }),
  TaskTimedOut: z.object({ attempt, limitSeconds: z.number(), finishedAt: time, usage: usageSchema.optional() }),
  /** Back in the queue; the next assignment is attempt `nextAttempt`, not before `notBefore`. */
  TaskRequeued: z.object({
    endedAttempt: attempt,
    nextAttempt: attempt,
    failure: failureSchema,
    exitCode: z.number().int().optional(),
    notBefore: time,
    at: time,
    usage: usageSchema.optional(),
    /** Worker that the next attempt should avoid. */
    avoidWorkerId: z.string().optional(),
    /** Memory of the next attempt and those after it, MiB; absent = as before. */
    memoryMb: memoryMbSchema.optional(),
    /** True if this used one of the user's retries (infrastructure failures do not). */
    usedRetry: z.boolean(),
  }),
  /** A report about an attempt that is no longer current, kept for the record. */
  StaleReportIgnored: z.object({ attempt, workerId: z.string(), report: z.string(), at: time }),
  TaskDeleted: z.object({ deletedBy: z.string(), at: time }),
} as const;

export type TaskEventType = keyof typeof taskEventSchemas;
export type TaskEventData<T extends TaskEventType> = z.output<(typeof taskEventSchemas)[T]>;
export type TaskEventOf<T extends TaskEventType> = { readonly type: T; readonly data: TaskEventData<T> };
export type TaskEvent = { [T in TaskEventType]: TaskEventOf<T> }[TaskEventType];

export const TASK_SCHEMA_VERSION = 1;
