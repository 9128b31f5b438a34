import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import type { AssignEvent } from '@gantry/contracts/scheduling/assign-events';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { heartbeat, workerSpec } from '../../testing/samples.js';
import { History, newCluster } from '../../testing/histories.js';
import type { Cluster } from './cluster.js';

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('submit' as const),
      cpu: fc.constantFrom(0.5, 1, 2),
      priority: fc.integer({ min: 0, max: 2 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('end' as const, 'requeue' as const, 'cancel' as const),
      pick: fc.nat(100),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('beat' as const), worker: fc.nat(2) }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'decide' as const }) },
);

type Input =
  | { task: StoredCommit<TaskEvent>; now: number }
  | { assign: StoredCommit<AssignEvent> }
  | { worker: string; sequence: number; now: number }
  | { decideAt: number };

function feed(cluster: Cluster, input: Input): string[] {
  if ('task' in input) cluster.board.applyTaskCommit(input.task, input.now);
  else if ('assign' in input) cluster.board.applyAssignCommit(input.assign);
  else if ('worker' in input) {
    const spec = workerSpec({ name: input.worker, capacity: { cpu: 3, memoryMb: 4_096, storageMb: 10_000 } });
    cluster.observeHeartbeat(heartbeat(input.worker, { sequence: input.sequence, spec }), input.now, input.now);
  } else {
    return cluster.decide(input.decideAt, 100).map((data) => `${data.taskId}#${data.attempt}@${data.workerId}`);
  }
  return [];
}

/** Runs random lives of tasks; answers what went in and what was decided. */
function live(steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[]) {
  const history = new History();
  const cluster = newCluster();
  const inputs: Input[] = [];
  const decided: string[] = [];
  const running: { taskId: string; attempt: number; workerId: string }[] = [];
  let now = 0;
  const put = (input: Input) => {
    inputs.push(input);
    const made = feed(cluster, input);
    decided.push(...made);
    return made;
  };
  steps.forEach((one, index) => {
    now += 100;
    if (one.kind === 'submit') {
      const resources = { cpu: one.cpu, memoryMb: 64, storageMb: 0, gpu: { count: 0 } };
      put({ task: history.submitted(`t${index}`, { resources, priority: one.priority }), now });
    } else if (one.kind === 'beat') {
      put({ worker: `w${one.worker}`, sequence: index + 1, now });
    } else if (one.kind === 'decide') {
      for (const text of put({ decideAt: now })) {
        const [, taskId = '', attempt = '', workerId = ''] = /^(.*)#(\d+)@(.*)$/.exec(text)!;
        running.push({ taskId, attempt: Number(attempt), workerId });
        put({ assign: history.assigned(taskId, workerId, Number(attempt)) });
        put({ task: history.recorded(taskId, workerId, Number(attempt)), now });
      }
    } else if (running.length > 0) {
      const [{ taskId, attempt }] = running.splice(one.pick % running.length, 1) as [(typeof running)[number]];
      if (one.kind === 'requeue') put({ task: history.requeued(taskId, attempt, now), now });
      else if (one.kind === 'end')
        put({
          task: history.task(taskId, { type: 'TaskSucceeded', data: { attempt, exitCode: 0, finishedAt: now } }),
          now,
        });
      else put({ task: history.task(taskId, { type: 'TaskCancelled', data: { attempt, finishedAt: now } }), now });
    }
  });
  return { cluster, inputs, decided, running };
}

it('a recorded history, replayed, gives the same decisions', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { inputs, decided } = live(steps);
      const cluster = newCluster();
      expect(inputs.flatMap((input) => feed(cluster, input))).toEqual(decided);
    }),
  );
});

it('a restart from the streams alone knows what runs, holds the same room and assigns nothing twice', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { cluster, inputs, running } = live(steps);
      const rebuilt = newCluster();
      for (const input of inputs) if ('task' in input) feed(rebuilt, input);
      for (const input of inputs) if ('assign' in input) feed(rebuilt, input);
      for (const workerId of ['w0', 'w1', 'w2']) {
        const { gpuIds: _known, ...known } = cluster.engine.ledger.totals(workerId);
        const { gpuIds: _found, ...found } = rebuilt.engine.ledger.totals(workerId);
        expect(found).toEqual(known);
      }
      const held = new Set(running.map(({ taskId }) => taskId));
      for (const { task } of rebuilt.engine.waiting.list(1_000)) expect(held.has(task.taskId)).toBe(false);
      expect(rebuilt.engine.waiting.size).toBe(cluster.engine.waiting.size);
    }),
  );
});
