import type { WorkerSpec } from '@gantry/contracts/agents/heartbeat';
import type { Reservation } from '../ledger/reservation-ledger.js';
import { PlacementEngine, type Decision, type PolicyChoice } from './placement-engine.js';
import type { QueuedTask } from './queued-task.js';

export interface ClusterState {
  readonly workers: readonly {
    readonly workerId: string;
    readonly spec: WorkerSpec;
    readonly open: boolean;
    readonly heldGpuIds?: ReadonlySet<string>;
  }[];
  readonly reservations: readonly Reservation[];
}

/**
 * Placement as a function of a snapshot: what the incremental engine decides when it is told this state and this queue.
 * For what-if questions and for replaying a recorded incident.
 */
export function place(
  state: ClusterState,
  queued: readonly QueuedTask[],
  policy: PolicyChoice,
  limit = Number.MAX_SAFE_INTEGER,
): Decision[] {
  const engine = new PlacementEngine(policy);
  for (const reservation of state.reservations) engine.reserve(reservation);
  for (const { workerId, spec, open, heldGpuIds } of state.workers) {
    engine.putWorker(workerId, spec, open);
    if (heldGpuIds !== undefined) engine.setHeldGpus(workerId, heldGpuIds);
  }
  for (const task of queued) engine.waiting.add(task);
  const decisions: Decision[] = [];
  while (engine.hasReady && decisions.length < limit)
    decisions.push(...engine.decide(limit - decisions.length, () => 1));
  return decisions;
}
