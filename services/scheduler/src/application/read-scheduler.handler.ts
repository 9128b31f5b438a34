import type { Explanation, WorkerView, getQueue } from '@gantry/contracts/scheduling/scheduler-requests';
import type { OutputOf } from '@gantry/contracts/messaging/request';
import type { Clock } from '@gantry/kernel/clock';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { Cluster } from '../domain/cluster/cluster.js';
import { explainTask, type ExplainedTask } from '../domain/explain/explain-task.js';
import { workerView } from '../domain/explain/views.js';
import type { PolicyChoice } from '../domain/placement/placement-engine.js';

/** Answers questions about workers, the queue and single placements from memory. */
export class ReadSchedulerHandler {
  constructor(
    private readonly cluster: Cluster,
    private readonly policy: PolicyChoice,
    private readonly clock: Clock,
  ) {}

  listWorkers(): WorkerView[] {
    const { fleet, engine } = this.cluster;
    return fleet.list(this.clock.now()).map((worker) => workerView(worker, engine.ledger.totals(worker.workerId)));
  }

  getWorker(workerId: string): WorkerView {
    const found = this.listWorkers().find(({ id }) => id === workerId);
    if (found === undefined) {
      throw new GantryError(
        'WORKER.NOT_FOUND',
        'not_found',
        'There is no such worker. List the workers to see their ids.',
      );
    }
    return found;
  }

  explain(taskId: string): Explanation {
    const now = this.clock.now();
    const { fleet, engine } = this.cluster;
    fleet.refresh(now);
    const workers = fleet.list(now).map(({ workerId, heartbeat, status }) => ({
      workerId,
      spec: heartbeat.spec,
      status,
      reserved: engine.ledger.totals(workerId),
      heldGpuIds: engine.heldGpuIds(workerId),
    }));
    return explainTask(taskId, this.explained(taskId), workers, now);
  }

  queue(limit: number): OutputOf<typeof getQueue> {
    const { engine, board } = this.cluster;
    return {
      total: engine.waiting.size,
      policies: { ...this.policy.queues, '*': this.policy.default },
      entries: engine.waiting.list(limit).map(({ task, position }) => ({
        taskId: task.taskId,
        queue: task.shape.queue,
        priority: task.priority,
        position,
        since: board.queuedAt(task.taskId)!,
      })),
    };
  }

  private explained(taskId: string): ExplainedTask | undefined {
    const entry = this.cluster.board.get(taskId);
    if (entry === undefined || entry.closed) return undefined;
    const { assignment, shape, attempt, notBefore, cancel, waiting } = entry;
    return {
      shape,
      placedOn: assignment?.workerName,
      cancelling: cancel !== undefined,
      attempt,
      notBefore,
      position: (waiting === undefined ? undefined : this.cluster.engine.waiting.position(waiting)) ?? null,
    };
  }
}
