import { z } from 'zod';
import { hostUsageSchema, runningTaskSchema, workerSpecSchema } from '../agents/heartbeat.js';
import { defineRequest } from '../messaging/request.js';
import { resourceCapacitySchema } from '../resources.js';

export const workerStatuses = ['active', 'overloaded', 'inactive', 'lost', 'leaving'] as const;

export const workerViewSchema = z.object({
  id: z.string(),
  /**
   * `inactive`: two heartbeats missed, nothing new is placed; `lost`: its lease is over. `overloaded`: host memory or CPU
   * above 95 %, nothing new is placed.
   */
  status: z.enum(workerStatuses),
  spec: workerSpecSchema,
  usage: hostUsageSchema,
  /** Reserved by assigned tasks. */
  allocated: resourceCapacitySchema,
  allocatedGpuIds: z.array(z.string()),
  running: z.array(runningTaskSchema),
  counters: z.object({ completed: z.number().int(), failed: z.number().int() }),
  startedAt: z.number().int(),
  lastHeartbeatAt: z.number().int(),
});
export type WorkerView = z.infer<typeof workerViewSchema>;

export const listWorkers = defineRequest({
  subject: 'query.scheduler.list-workers',
  input: z.object({}),
  output: z.object({ workers: z.array(workerViewSchema) }),
});

export const getWorker = defineRequest({
  subject: 'query.scheduler.get-worker',
  input: z.strictObject({ workerId: z.string().max(100) }),
  output: workerViewSchema,
});

export const unmetSchema = z.object({
  /** `cpu`, `memory`, `storage`, `gpu`, `gpu_held`, `gpu_model`, `gpu_memory`, `labels`, `queue`, `status`, `slots`. */
  resource: z.string(),
  requested: z.string(),
  available: z.string(),
  /** True if the worker could never serve it, even when empty. */
  never: z.boolean(),
  message: z.string(),
});

export const explanationSchema = z.object({
  taskId: z.string(),
  /** `waiting`: in the queue; `placed`: has a worker; `unknown`: not in the queue (finished, or not seen yet). */
  state: z.enum(['waiting', 'placed', 'unknown']),
  /** One sentence for people. */
  summary: z.string(),
  queuePosition: z.number().int().nullable(),
  workers: z.array(
    z.object({ workerId: z.string(), workerName: z.string(), fits: z.boolean(), unmet: z.array(unmetSchema) }),
  ),
  checkedAt: z.number().int(),
});
export type Explanation = z.infer<typeof explanationSchema>;

/** Why a task is (not) placed: per worker, per resource. The caller's right to see the task is checked by the gateway. */
export const explainTask = defineRequest({
  subject: 'query.scheduler.explain-task',
  input: z.strictObject({ taskId: z.uuid() }),
  output: explanationSchema,
});

export const getQueue = defineRequest({
  subject: 'query.scheduler.get-queue',
  input: z.strictObject({ limit: z.int().min(1).max(1_000).default(100) }),
  output: z.object({
    total: z.number().int(),
    policies: z.record(z.string(), z.string()),
    entries: z.array(
      z.object({
        taskId: z.string(),
        queue: z.string(),
        priority: z.number().int(),
        position: z.number().int(),
        since: z.number().int(),
      }),
    ),
  }),
});
