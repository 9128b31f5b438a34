import type { Heartbeat } from '@gantry/contracts/agents/heartbeat';
import type { Revocation, TaskEntry } from './task-entry.js';

export interface SightedStrays {
  readonly revocations: readonly Revocation[];
  /** Devices of the worker that must not be given to anybody, whoever has them reserved. */
  readonly heldGpuIds: ReadonlySet<string>;
}

/**
 * Attempts that a worker runs although they are not (or no longer) its own: which of them to revoke, and which devices they hold. An
 * attempt that has just ended may be listed in a heartbeat that was sent a moment before, so what TASKS has closed counts from its
 * second sight on. Only the first heartbeat of an agent's life shows such an attempt for sure: it names what an earlier life left.
 */
export class StrayAttempts {
  /** `task/attempt` -> heartbeats in a row that listed it, by worker. */
  private readonly sights = new Map<string, Map<string, number>>();

  constructor(private readonly entryOf: (taskId: string) => TaskEntry | undefined) {}

  observe({ workerId, sequence, running, heldGpuIds = [] }: Heartbeat): SightedStrays {
    const before = this.sights.get(workerId);
    const sights = new Map<string, number>();
    const revocations: Revocation[] = [];
    const held = new Set(heldGpuIds);
    for (const { taskId, attempt, gpuIds = [] } of running) {
      const entry = this.entryOf(taskId);
      const own = entry?.assignment;
      if (own?.workerId === workerId && own.attempt === attempt) continue;
      const key = `${taskId}/${attempt}`;
      const seen = (before?.get(key) ?? 0) + 1;
      sights.set(key, seen);
      const certain = entry !== undefined && !entry.closed;
      // Not at every heartbeat: it takes the agent a while.
      if (certain ? seen % 6 === 1 : seen % 6 === 2)
        revocations.push({ workerId, taskId, attempt, graceMs: 0, reason: 'superseded' });
      if (certain || seen > 1 || sequence === 1) for (const id of gpuIds) held.add(id);
    }
    if (sights.size > 0) this.sights.set(workerId, sights);
    else this.sights.delete(workerId);
    return { revocations, heldGpuIds: held };
  }
}
