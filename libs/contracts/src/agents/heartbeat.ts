import { z } from 'zod';
import { labelsSchema } from '../tasks/task-spec.js';
import { resourceCapacitySchema } from '../resources.js';

export const gpuSpecSchema = z.object({
  /** The driver's UUID. */
  id: z.string(),
  index: z.number().int(),
  model: z.string(),
  memoryMb: z.number(),
  driver: z.string(),
});
export type GpuSpec = z.infer<typeof gpuSpecSchema>;

/** `simulated` runs nothing at all: a worker for measurements, which serves only the queue `simulated`. */
export const runtimes = ['docker', 'process', 'simulated'] as const;

export const workerSpecSchema = z.object({
  name: z.string(),
  hostname: z.string(),
  address: z.string(),
  os: z.string(),
  agentVersion: z.string(),
  runtime: z.enum(runtimes),
  runtimeVersion: z.string(),
  capacity: resourceCapacitySchema,
  gpus: z.array(gpuSpecSchema),
  labels: labelsSchema,
  /** Queues served; empty = all. */
  queues: z.array(z.string()),
  /** Images already on the machine (most recent first, at most 200), for cache-aware placement. */
  images: z.array(z.string()),
  /** At most this many containers at once. */
  maxTasks: z.number().int(),
});
export type WorkerSpec = z.infer<typeof workerSpecSchema>;

export const hostUsageSchema = z.object({
  /** 0-100 of all cores. */
  cpuPercent: z.number(),
  memoryUsedMb: z.number(),
  /** Of the host, which may be more than the worker offers. Without it a worker is never taken for overloaded. */
  memoryTotalMb: z.number().optional(),
  storageUsedMb: z.number(),
  load1: z.number(),
});

export const runningTaskSchema = z.object({
  taskId: z.string(),
  attempt: z.number().int(),
  phase: z.enum(['accepted', 'pulling', 'creating', 'running', 'stopping', 'collecting']),
  /** Devices that it may be using: from before its container is made until none of its processes is left on them. Missing = none. */
  gpuIds: z.array(z.string()).optional(),
});

/**
 * The only message on `fleet.<workerId>`, every `timing.heartbeatMs`, plain JSON (no commit around it: it is a state, not a
 * decision, and the stream keeps the last per worker). The publish ack is the agent's lease renewal.
 */
export const heartbeatSchema = z.object({
  workerId: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  /** Changes at every start of the agent. */
  session: z.string(),
  sequence: z.number().int(),
  sentAt: z.number().int(),
  startedAt: z.number().int(),
  spec: workerSpecSchema,
  usage: hostUsageSchema,
  running: z.array(runningTaskSchema),
  /** Devices on which something of an attempt may be left that the agent does not have any more. Missing = none. */
  heldGpuIds: z.array(z.string()).optional(),
  /** Last stream sequence of ASSIGN that this agent applied: tells the scheduler what it has not seen yet. */
  assignSequence: z.number().int(),
  counters: z.object({ completed: z.number().int(), failed: z.number().int() }),
  /** True when the agent is going away by itself: finish nothing new. */
  leaving: z.boolean(),
});
export type Heartbeat = z.infer<typeof heartbeatSchema>;
