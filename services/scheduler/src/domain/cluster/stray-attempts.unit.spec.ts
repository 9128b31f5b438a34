import type { GpuSpec, Heartbeat } from '@gantry/contracts/agents/heartbeat';
import { describe, expect, it } from 'vitest';
import { gpus, heartbeat, workerSpec } from '../../testing/samples.js';
import { History, newCluster } from '../../testing/histories.js';

type Running = Heartbeat['running'][number];

const resources = { cpu: 1, memoryMb: 64, storageMb: 0 };

/** One worker with devices, and a history of tasks that ask for one each. */
function scene(devices: number, others: GpuSpec[] = []) {
  const workerId = 'w';
  const history = new History();
  const cluster = newCluster();
  const spec = workerSpec({ name: workerId, gpus: [...gpus(devices), ...others] });
  return {
    cluster,
    history,
    beat: (sequence: number, running: Running[] = [], heldGpuIds?: string[]) =>
      cluster.observeHeartbeat(
        heartbeat(workerId, { sequence, spec, running, ...(heldGpuIds === undefined ? {} : { heldGpuIds }) }),
        10,
        10,
      ).strays,
    submit: (taskId: string, gpu: { count: number; model?: string } = { count: 1 }) =>
      cluster.board.applyTaskCommit(history.submitted(taskId, { resources: { ...resources, gpu } }), 10),
    requeue: (taskId: string) => cluster.board.applyTaskCommit(history.requeued(taskId, 1), 10),
    succeed: (taskId: string) =>
      cluster.board.applyTaskCommit(
        history.task(taskId, { type: 'TaskSucceeded', data: { attempt: 1, exitCode: 0, finishedAt: 1 } }),
        10,
      ),
    place: () => cluster.decide(10, 100).map(({ taskId, attempt, gpuIds }) => `${taskId}#${attempt} ${gpuIds.join()}`),
  };
}

const listed = (taskId: string, attempt = 1, phase: Running['phase'] = 'collecting'): Running => ({
  taskId,
  attempt,
  phase,
  gpuIds: ['GPU-0'],
});

describe('a device that an attempt holds which is not the worker’s own any more', () => {
  it('is not given to anybody while the worker that was lost and came back lists it, and is given as soon as it does not', () => {
    const { cluster, beat, submit, requeue, place } = scene(1);
    beat(1);
    submit('t');
    expect(place()).toEqual(['t#1 GPU-0']);
    requeue('t');
    expect(beat(2, [listed('t')])).toMatchObject([{ taskId: 't', attempt: 1, reason: 'superseded' }]);
    expect(place()).toEqual([]);
    expect(cluster.engine.heldGpuIds('w')).toEqual(new Set(['GPU-0']));
    beat(3, [listed('t')]);
    expect(place()).toEqual([]);
    beat(4);
    expect(place()).toEqual(['t#2 GPU-0']);
  });

  it('leaves the other devices of the worker to others', () => {
    const { beat, submit, place } = scene(2);
    beat(1, [], ['GPU-0']);
    submit('a');
    submit('b');
    expect(place()).toEqual(['a#1 GPU-1']);
  });

  it('is none for a moment after a normal end: its heartbeat was only sent before', () => {
    const { beat, submit, succeed, place } = scene(1);
    beat(1);
    submit('a');
    expect(place()).toEqual(['a#1 GPU-0']);
    beat(2, [listed('a', 1, 'running')]);
    submit('b');
    succeed('a');
    expect(beat(3, [listed('a')])).toEqual([]);
    expect(place()).toEqual(['b#1 GPU-0']);
  });

  it('is one from the second sight on, though the task has ended', () => {
    const { beat, submit, place } = scene(1);
    beat(1);
    beat(2, [listed('ended')]);
    beat(3, [listed('ended')]);
    submit('t');
    expect(place()).toEqual([]);
    beat(4);
    expect(place()).toEqual(['t#1 GPU-0']);
  });

  it('is one at the first word of an agent that was started anew, which lists what it found', () => {
    const { beat, submit, place } = scene(1);
    beat(1, [listed('ended')]);
    submit('t');
    expect(place()).toEqual([]);
  });

  it('is one at once if the agent says that something is left of an attempt that it does not have', () => {
    const { beat, submit, place } = scene(1);
    beat(1);
    beat(2, [], ['GPU-0']);
    submit('t');
    expect(place()).toEqual([]);
    beat(3, [], []);
    expect(place()).toEqual(['t#1 GPU-0']);
  });

  it('is free when another one is held instead', () => {
    const { beat, submit, place } = scene(1, gpus(1, 'Tesla T4', 15_360, 'T4'));
    beat(1, [], ['GPU-0']);
    submit('t', { count: 1, model: 'A100' });
    expect(place()).toEqual([]);
    beat(2, [], ['T4-0']);
    expect(place()).toEqual(['t#1 GPU-0']);
  });

  it('is none for agents that do not say which devices their attempts have', () => {
    const { beat, submit, requeue, place } = scene(1);
    beat(1);
    submit('t');
    place();
    requeue('t');
    beat(2, [{ taskId: 't', attempt: 1, phase: 'collecting' }]);
    expect(place()).toEqual(['t#2 GPU-0']);
  });
});
