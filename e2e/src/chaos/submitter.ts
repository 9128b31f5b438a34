import os from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { type GantryClient, isFinished } from '@gantry/client/gantry-client';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { Submission } from './observations.js';
import type { PlannedTask } from './workload.js';

const RETRY_MS = 500;
const COPIES = 3;
const LOOK_MS = 250;

export interface SubmitterOptions {
  readonly api: GantryClient;
  readonly image: string;
  readonly startedAt: number;
  readonly onAccepted: () => void;
  /** Stops trying; what was not accepted by then is told as a problem. */
  readonly signal: AbortSignal;
}

/** A user who does not give up: repeats under the same key until an answer comes, and cancels what the plan says. */
export async function submitPlanned(planned: PlannedTask, options: SubmitterOptions): Promise<Submission> {
  await pause(Math.max(0, options.startedAt + planned.at - performance.now()), undefined, { signal: options.signal });
  const ids = await Promise.all(Array.from({ length: planned.repeated ? COPIES : 1 }, () => submit(planned, options)));
  options.onAccepted();
  const [id] = ids;
  if (planned.cancelAfter !== undefined && id !== undefined) {
    await pause(planned.cancelAfter, undefined, { signal: options.signal });
    await insist(() => options.api.cancelTask(id, { graceSeconds: 2 }), options.signal);
    const cancelledAt = await whenCancelled(id, options);
    if (cancelledAt !== undefined) return { planned, ids, cancelledAt };
  }
  return { planned, ids };
}

/** Looks until the task is over. What takes longer than the patience is judged as a task without an end, and not here. */
async function whenCancelled(id: string, { api, signal }: SubmitterOptions): Promise<number | undefined> {
  while (!signal.aborted) {
    const task = await insist(() => api.task(id), signal).catch(() => undefined);
    if (task?.status === 'cancelled') return os.uptime();
    if (task !== undefined && isFinished(task)) return undefined;
    await pause(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

async function submit(planned: PlannedTask, { api, image, signal }: SubmitterOptions): Promise<string> {
  const { task } = await insist(
    () =>
      api.submitTask({
        name: planned.kind,
        image,
        command: ['sh', '-c', planned.script],
        resources: { cpu: 0.2, memoryMb: planned.memoryMb, storageMb: 8 },
        queue: planned.queue,
        timeoutSeconds: planned.timeoutSeconds,
        retries: planned.retries,
        network: planned.networked ? 'bridge' : 'none',
        ...(planned.leaseSeconds === undefined ? {} : { leaseSeconds: planned.leaseSeconds }),
        idempotencyKey: planned.key,
      }),
    signal,
  );
  return task.id;
}

/** Repeats what failed for a reason that may pass; anything else is thrown. */
export async function insist<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof GantryError) || !(error.retryable || error.code.startsWith('CLIENT.'))) throw error;
      await pause(RETRY_MS, undefined, { signal });
    }
  }
}
