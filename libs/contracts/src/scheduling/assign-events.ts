import { z } from 'zod';
import { taskSpecSchema } from '../tasks/task-spec.js';

/** The aggregate of ASSIGN that is no worker's: what leaves the queue without a worker. No worker id begins like this. */
export const waitingTasks = '_waiting';

/**
 * Events of stream ASSIGN, one aggregate per worker (`assign.<workerId>`) and `waitingTasks`, as commits. The agent follows its
 * own subject; the tasks service records assignments and withdrawals in the task's history.
 */
export const assignEventSchemas = {
  TaskAssigned: z.object({
    taskId: z.string(),
    attempt: z.number().int().min(1),
    ownerId: z.string(),
    spec: taskSpecSchema,
    workerId: z.string(),
    workerName: z.string(),
    /** Devices reserved for this attempt. */
    gpuIds: z.array(z.string()),
    leaseMs: z.number().int(),
    assignedAt: z.number().int(),
  }),
  /** Stop it: SIGTERM, `graceMs`, SIGKILL. Harmless when the agent does not have it. */
  AssignmentRevoked: z.object({
    taskId: z.string(),
    attempt: z.number().int().min(1),
    graceMs: z.number().int(),
    reason: z.enum(['cancelled', 'superseded', 'worker_lost']),
    revokedAt: z.number().int(),
  }),
  /**
   * A task whose cancellation was asked for while it waited: this attempt has no worker and will never get one. On the subject of
   * `waitingTasks`, which is fenced like that of a worker, so nobody can say it who does not know all assignments.
   */
  TaskWithdrawn: z.object({
    taskId: z.string(),
    attempt: z.number().int().min(1),
    withdrawnAt: z.number().int(),
  }),
  /** A new leader fences the subject before it decides anything. */
  EpochStarted: z.object({ epoch: z.number().int(), leader: z.string() }),
} as const;

export type AssignEventType = keyof typeof assignEventSchemas;
export type AssignEventData<T extends AssignEventType> = z.output<(typeof assignEventSchemas)[T]>;
export type AssignEvent = {
  [T in AssignEventType]: { readonly type: T; readonly data: AssignEventData<T> };
}[AssignEventType];

/** Events of stream SCHED as commits. `sched.worker.<workerId>`. */
export const schedEventSchemas = {
  WorkerJoined: z.object({ workerId: z.string(), name: z.string(), session: z.string(), at: z.number().int() }),
  /** No heartbeat for the lease: these attempts are over and their tasks go back to the queue. */
  WorkerLost: z.object({
    workerId: z.string(),
    at: z.number().int(),
    lastHeartbeatAt: z.number().int(),
    tasks: z.array(z.object({ taskId: z.string(), attempt: z.number().int() })),
  }),
  /** An agent came back (new session) without containers it should have: those attempts are over too. */
  AssignmentsLost: z.object({
    workerId: z.string(),
    at: z.number().int(),
    reason: z.string(),
    tasks: z.array(z.object({ taskId: z.string(), attempt: z.number().int() })),
  }),
} as const;

export type SchedEventType = keyof typeof schedEventSchemas;
export type SchedEvent = {
  [T in SchedEventType]: { readonly type: T; readonly data: z.output<(typeof schedEventSchemas)[T]> };
}[SchedEventType];
