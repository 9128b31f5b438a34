import type { Commit, DomainEvent, StoredCommit } from '@gantry/contracts/messaging/commit';
import type { AssignEvent } from '@gantry/contracts/scheduling/assign-events';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import { Cluster } from '../domain/cluster/cluster.js';
import type { FleetTiming } from '../domain/fleet/worker-record.js';
import type { TaskSpecInput } from '@gantry/contracts/tasks/task-spec';
import { heartbeat, taskSpec, workerSpec } from './samples.js';

export const testTiming: FleetTiming = {
  heartbeatMs: 5_000,
  leaseMs: 60_000,
  lossAfterMs: (leaseMs) => leaseMs + 1_000,
  forgetLostAfterMs: 3_600_000,
};

/** Writes commits of the two streams by hand, with growing sequences and versions. */
export class History {
  private sequence = 0;
  private readonly versions = new Map<string, number>();

  task(taskId: string, ...events: TaskEvent[]): StoredCommit<TaskEvent> {
    return this.store('TASKS', taskId, events);
  }

  submitted(taskId: string, over: Partial<TaskSpecInput> = {}): StoredCommit<TaskEvent> {
    const resources = { cpu: 1, memoryMb: 64, storageMb: 0, gpu: { count: 0 } };
    return this.task(taskId, {
      type: 'TaskSubmitted',
      data: { ownerId: 'u', ownerName: 'U', spec: taskSpec({ resources, ...over }), submittedAt: 1 },
    });
  }

  recorded(taskId: string, workerId: string, attempt = 1, leaseMs = testTiming.leaseMs): StoredCommit<TaskEvent> {
    return this.task(taskId, {
      type: 'TaskAssigned',
      data: { attempt, workerId, workerName: workerId, leaseMs, gpuIds: [], assignedAt: 1 },
    });
  }

  requeued(taskId: string, endedAttempt: number, notBefore = 0): StoredCommit<TaskEvent> {
    const failure = { class: 'infrastructure' as const, message: 'lost' };
    const data = { endedAttempt, nextAttempt: endedAttempt + 1, failure, notBefore, at: 2, usedRetry: false };
    return this.task(taskId, { type: 'TaskRequeued', data });
  }

  assigned(taskId: string, workerId: string, attempt = 1): StoredCommit<AssignEvent> {
    const spec = taskSpec({ resources: { cpu: 1, memoryMb: 64, storageMb: 0, gpu: { count: 0 } } });
    const data = {
      taskId,
      attempt,
      ownerId: 'u',
      spec,
      workerId,
      workerName: workerId,
      gpuIds: [],
      leaseMs: testTiming.leaseMs,
      assignedAt: 1,
    };
    return this.store('ASSIGN', workerId, [{ type: 'TaskAssigned' as const, data }]);
  }

  assign(workerId: string, ...events: AssignEvent[]): StoredCommit<AssignEvent> {
    return this.store('ASSIGN', workerId, events);
  }

  private store<E extends DomainEvent>(stream: string, aggregateId: string, events: E[]): StoredCommit<E> {
    this.sequence += 1;
    const key = `${stream}/${aggregateId}`;
    const version = (this.versions.get(key) ?? 0) + 1;
    this.versions.set(key, version);
    const commit: Commit<E> = {
      id: `c${this.sequence}`,
      stream,
      aggregateId,
      version,
      schemaVersion: 1,
      occurredAt: this.sequence,
      actor: { kind: 'service', id: 'test' },
      correlationId: 'x',
      causationId: 'x',
      events,
    };
    return { commit, streamSequence: this.sequence, subject: key };
  }
}

export function newCluster(timing: FleetTiming = testTiming): Cluster {
  const cluster = new Cluster({ default: 'bin-pack', queues: {} }, timing);
  cluster.fleet.listen(0);
  return cluster;
}

const small = workerSpec({ capacity: { cpu: 2, memoryMb: 8_192, storageMb: 1_000 } });

export function beat(
  cluster: Cluster,
  workerId: string,
  sequence: number,
  now: number,
  over: Parameters<typeof heartbeat>[1] = {},
) {
  return cluster.observeHeartbeat(
    heartbeat(workerId, { sequence, spec: { ...small, name: workerId }, ...over }),
    now,
    now,
  );
}

export const apply = (cluster: Cluster, stored: StoredCommit<TaskEvent>) => cluster.board.applyTaskCommit(stored, 10);
