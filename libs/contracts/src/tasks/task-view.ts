import { z } from 'zod';
import { failureSchema, taskStatusSchema, artifactSchema, usageSchema } from './task-status.js';
import { taskSpecSchema } from './task-spec.js';

const time = z.number().int();

export const attemptViewSchema = z.object({
  attempt: z.number().int(),
  workerId: z.string(),
  workerName: z.string(),
  gpuIds: z.array(z.string()),
  status: z.enum(['assigned', 'starting', 'running', 'succeeded', 'failed', 'cancelled', 'timed_out']),
  assignedAt: time,
  startedAt: time.nullable(),
  finishedAt: time.nullable(),
  containerId: z.string().nullable(),
  exitCode: z.number().int().nullable(),
  failure: failureSchema.nullable(),
  usage: usageSchema.nullable(),
});
export type AttemptView = z.infer<typeof attemptViewSchema>;

/** A task as every reader sees it: the fold of its events (`task-view.fold.ts`). Times are epoch milliseconds. */
export const taskViewSchema = z.object({
  id: z.string(),
  /** Aggregate version = number of commits folded; a reader keeps the view with the higher one. */
  version: z.number().int(),
  ownerId: z.string(),
  ownerName: z.string(),
  spec: taskSpecSchema,
  retryOf: z.string().nullable(),
  status: taskStatusSchema,
  /** Attempt that is current or next, from 1. */
  attempt: z.number().int(),
  attempts: z.array(attemptViewSchema),
  /** What is going on inside the status: "pulling 40 %", "waiting to retry". */
  message: z.string().nullable(),
  progressPercent: z.number().nullable(),
  workerId: z.string().nullable(),
  workerName: z.string().nullable(),
  exitCode: z.number().int().nullable(),
  failure: failureSchema.nullable(),
  cancelRequestedAt: time.nullable(),
  createdAt: time,
  queuedAt: time,
  notBefore: time.nullable(),
  startedAt: time.nullable(),
  finishedAt: time.nullable(),
  usage: usageSchema.nullable(),
  retriesUsed: z.number().int(),
  /** Memory of the attempt that is current or next, MiB, if a retry got more than the spec asked for. */
  memoryMb: z.number().int().optional(),
  artifacts: z.array(artifactSchema),
  deleted: z.boolean(),
});
export type TaskView = z.infer<typeof taskViewSchema>;
