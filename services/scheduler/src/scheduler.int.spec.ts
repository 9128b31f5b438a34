import { explainTask, getQueue, listWorkers } from '@gantry/contracts/scheduling/scheduler-requests';
import type { RequestContext } from '@gantry/contracts/messaging/request';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { publishJson } from '@gantry/jetstream/publisher';
import { manager } from '@gantry/jetstream/stream-admin';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gpus, workerSpec } from './testing/samples.js';
import { TestPlatform } from './testing/platform.fixture.js';

const context: RequestContext = { actor: { kind: 'service', id: 'test' }, correlationId: 'test' };
const one = { cpu: 1, memoryMb: 64, storageMb: 0, gpu: { count: 0 } };
const cores = (cpu: number) => ({ spec: workerSpec({ capacity: { cpu, memoryMb: 8_192, storageMb: 100_000 } }) });

let platform: TestPlatform;

beforeEach(async () => {
  platform = await TestPlatform.start();
});

afterEach(() => platform.stop());

describe('placing', () => {
  it('places at once, keeps the rest queued with a reason, and places it the moment something frees', async () => {
    const { client } = await platform.boot();
    await platform.beat('w1', cores(2));
    const huge = await platform.submit({ priority: 50, resources: { ...one, cpu: 1_000 } });
    const first = await platform.submit({ resources: one });
    const second = await platform.submit({ resources: one });
    const third = await platform.submit({ resources: one });
    await platform.until(() => platform.assigned.length === 2, 'two assignments');
    expect(platform.assigned.map(({ taskId, attempt, workerId }) => ({ taskId, attempt, workerId }))).toEqual([
      { taskId: first, attempt: 1, workerId: 'w1' },
      { taskId: second, attempt: 1, workerId: 'w1' },
    ]);
    const explained = await client.request(explainTask, { taskId: huge }, context);
    expect(explained).toMatchObject({
      state: 'waiting',
      queuePosition: 1,
      summary: 'Waiting: no worker has 1000 cores (largest has 2).',
    });
    expect((await client.request(explainTask, { taskId: third }, context)).summary).toBe(
      'Waiting for a free worker: needs 1 core, 0 free on worker-1.',
    );
    const queue = await client.request(getQueue, {}, context);
    expect(queue.entries.map(({ taskId, position }) => [taskId, position])).toEqual([
      [huge, 1],
      [third, 2],
    ]);
    const { workers } = await client.request(listWorkers, {}, context);
    expect(workers).toMatchObject([{ id: 'w1', status: 'active', allocated: { cpu: 2, memoryMb: 128, storageMb: 0 } }]);

    await platform.record(platform.assigned[0]!);
    await platform.succeed(first);
    await platform.until(() => platform.assigned.length === 3, 'the third assignment');
    expect(platform.assigned[2]).toMatchObject({ taskId: third, workerId: 'w1' });
    expect(platform.assignmentsOf(huge)).toEqual([]);
  });

  it('reserves devices by id and gives a queued task to a worker that joins', async () => {
    const { client } = await platform.boot();
    const resources = { ...one, gpu: { count: 2, model: 'a100' } };
    const taskId = await platform.submit({ resources });
    const other = await platform.submit({ resources });
    expect((await client.request(explainTask, { taskId: other }, context)).workers).toEqual([]);
    await platform.beat('w1', { spec: workerSpec({ gpus: gpus(3) }) });
    await platform.until(() => platform.assigned.length === 1, 'an assignment');
    expect(platform.assigned[0]).toMatchObject({ taskId, gpuIds: ['GPU-0', 'GPU-1'] });
    await platform.until(() => platform.sched.some(({ type }) => type === 'WorkerJoined'), 'WorkerJoined');
    expect(platform.assignmentsOf(other)).toEqual([]);
  });

  it('honours the earliest time of a requeued task', async () => {
    await platform.boot();
    await platform.beat('w1');
    const taskId = await platform.submit({ resources: one });
    await platform.until(() => platform.assigned.length === 1, 'the first attempt');
    await platform.record(platform.assigned[0]!);
    const notBefore = Date.now() + 700;
    await platform.requeue(taskId, 1, notBefore);
    await platform.until(() => platform.assigned.length === 2, 'the second attempt');
    expect(platform.assigned[1]).toMatchObject({ taskId, attempt: 2 });
    expect(platform.assigned[1]!.assignedAt).toBeGreaterThanOrEqual(notBefore);
  });

  it('drains 2,000 tasks over 20 workers: each once, and no worker ever beyond its cores', async () => {
    await platform.boot();
    const load = new Map<string, number>();
    const overloads: string[] = [];
    let finished = 0;
    const ending: Promise<void>[] = [];
    platform.onAssigned = (data) => {
      const now = (load.get(data.workerId) ?? 0) + 1;
      load.set(data.workerId, now);
      if (now > 4) overloads.push(data.workerId);
      ending.push(
        (async () => {
          await platform.record(data);
          // The room counts as free from the moment the end is stored, so the test must count it free before.
          load.set(data.workerId, load.get(data.workerId)! - 1);
          await platform.succeed(data.taskId);
          finished += 1;
        })(),
      );
    };
    for (let index = 0; index < 20; index += 1) await platform.beat(`w${index}`, cores(4));
    const submitted = await Promise.all(Array.from({ length: 2_000 }, () => platform.submit({ resources: one })));
    await platform.until(() => finished === 2_000, 'all tasks finished', 90_000);
    await Promise.all(ending);
    expect(overloads).toEqual([]);
    expect(platform.assigned.map(({ taskId }) => taskId).sort()).toEqual([...submitted].sort());
  });

  it('has an assignment stored within milliseconds of the submission', async () => {
    await platform.boot();
    await platform.beat('w1', cores(1_000));
    const latencies: number[] = [];
    for (let index = 0; index < 200; index += 1) {
      const taskId = await platform.submit({ resources: { ...one, memoryMb: 8 } });
      const began = performance.now();
      await new Promise<void>((resolve) => {
        if (platform.assignmentsOf(taskId).length > 0) resolve();
        platform.onAssigned = (data) => data.taskId === taskId && resolve();
      });
      latencies.push(performance.now() - began);
      platform.onAssigned = undefined;
      if (index % 50 === 49)
        await platform.beat('w1', {
          ...cores(1_000),
          running: platform.assigned.map((data) => ({ ...data, phase: 'running' as const })),
        });
      if (platform.assigned.length >= 90) {
        await Promise.all(
          platform.assigned.splice(0).map(async (data) => (await platform.record(data), platform.succeed(data.taskId))),
        );
      }
    }
    latencies.sort((a, b) => a - b);
    expect(latencies[100]).toBeLessThan(250);
  });
});

describe('losing', () => {
  const short = {
    timing: {
      heartbeatMs: 200,
      leaseMs: 1_200,
      lossAfterMs: (leaseMs: number) => leaseMs,
      forgetLostAfterMs: 3_600_000,
    },
  };

  it('announces a worker without heartbeats with its tasks, and places them elsewhere when they are requeued', async () => {
    const { client } = await platform.boot(short);
    await platform.beat('w1', cores(2));
    const taskId = await platform.submit({ resources: one });
    await platform.until(() => platform.assigned.length === 1, 'the assignment');
    await platform.record(platform.assigned[0]!);
    await platform.until(() => platform.sched.some(({ type }) => type === 'WorkerLost'), 'WorkerLost');
    const lost = platform.sched.find((event) => event.type === 'WorkerLost')!;
    expect(lost.data).toMatchObject({ workerId: 'w1', tasks: [{ taskId, attempt: 1 }] });
    expect((await client.request(listWorkers, {}, context)).workers).toMatchObject([{ id: 'w1', status: 'lost' }]);
    const alive = setInterval(() => void platform.beat('w2', cores(2)), 150);
    try {
      await platform.requeue(taskId, 1);
      await platform.until(() => platform.assigned.length === 2, 'the second attempt');
    } finally {
      clearInterval(alive);
    }
    expect(platform.assigned[1]).toMatchObject({ taskId, attempt: 2, workerId: 'w2' });
    expect(platform.sched.filter(({ type }) => type === 'WorkerLost')).toHaveLength(1);
  });

  it('leaves a task with a long lease where it is: the worker comes back and goes on with the same attempt', async () => {
    await platform.boot(short);
    await platform.beat('w1', cores(2));
    const patient = await platform.submit({ resources: one, leaseSeconds: 3_600 });
    const usual = await platform.submit({ resources: one });
    await platform.until(() => platform.assigned.length === 2, 'both assignments');
    for (const data of platform.assigned) await platform.record(data);
    expect(platform.assignmentsOf(patient)[0]?.leaseMs).toBe(3_600_000);
    expect(platform.assignmentsOf(usual)[0]?.leaseMs).toBe(short.timing.leaseMs);
    await platform.until(() => platform.sched.some(({ type }) => type === 'WorkerLost'), 'WorkerLost');
    const lost = platform.sched.find((event) => event.type === 'WorkerLost')!;
    expect(lost.data).toMatchObject({ workerId: 'w1', tasks: [{ taskId: usual, attempt: 1 }] });
    const running = [{ taskId: patient, attempt: 1, phase: 'running' as const }];
    const alive = setInterval(() => void platform.beat('w1', { ...cores(2), running }), 150);
    try {
      await platform.requeue(usual, 1);
      await platform.until(() => platform.assignmentsOf(usual).length === 2, 'the second attempt of the usual task');
    } finally {
      clearInterval(alive);
    }
    expect(platform.assignmentsOf(patient)).toHaveLength(1);
    expect(platform.revoked.filter(({ taskId }) => taskId === patient)).toEqual([]);
  });

  it('announces attempts that an agent no longer lists, but not while its report waits to be read', async () => {
    await platform.boot();
    await platform.beat('w1');
    const silent = await platform.submit({ resources: one });
    const reported = await platform.submit({ resources: one });
    await platform.until(() => platform.assigned.length === 2, 'both assignments');
    for (const data of platform.assigned) await platform.record(data);
    await publishJson(platform.nc, subjects.report('w1', reported), { type: 'exited' });
    for (let beat = 0; beat < 3; beat += 1) await platform.beat('w1');
    await platform.until(() => platform.sched.some(({ type }) => type === 'AssignmentsLost'), 'AssignmentsLost');
    const announced = platform.sched
      .filter((event) => event.type === 'AssignmentsLost')
      .flatMap(({ data }) => data.tasks);
    expect(announced).toEqual([{ taskId: silent, attempt: 1 }]);
  });

  it('counts every lease from the return of the broker', async () => {
    const { client } = await platform.boot({ timing: { ...short.timing, leaseMs: 4_000 } });
    await platform.beat('w1');
    await platform.submit({ resources: one });
    await platform.until(() => platform.assigned.length === 1, 'the assignment');
    await platform.server.restart();
    const returned = Date.now();
    await platform.until(() => platform.sched.some(({ type }) => type === 'WorkerLost'), 'WorkerLost after the outage');
    const lost = platform.sched.find((event) => event.type === 'WorkerLost')!;
    expect((lost.data as { at: number }).at).toBeGreaterThan(returned + 3_000);
    expect((await client.request(listWorkers, {}, context)).workers).toMatchObject([{ status: 'lost' }]);
  });
});

describe('taking over', () => {
  it('knows after a restart what it had assigned, even if nobody recorded it', async () => {
    const before = await platform.boot();
    await platform.beat('w1', cores(2));
    const recorded = await platform.submit({ resources: one });
    await platform.until(() => platform.assigned.length === 1, 'the first assignment');
    await platform.record(platform.assigned[0]!);
    const unrecorded = await platform.submit({ resources: one });
    await platform.until(() => platform.assigned.length === 2, 'the second assignment');
    await before.stop();
    const waiting = await platform.submit({ resources: one });

    const { client } = await platform.boot();
    await platform.beat('w1', cores(2));
    await platform.until(() => platform.epochs.some(({ epoch }) => epoch === 2), 'the new epoch');
    expect((await client.request(explainTask, { taskId: unrecorded }, context)).state).toBe('placed');
    await platform.record(platform.assigned[1]!);
    await platform.succeed(recorded);
    await platform.until(() => platform.assigned.length === 3, 'the third assignment');
    expect(platform.assigned.map(({ taskId }) => taskId)).toEqual([recorded, unrecorded, waiting]);
  });

  it('leads on after the record of earlier leaderships was lost or set back, and above all of them', async () => {
    for (const round of [1, 2, 3]) {
      const { stop } = await platform.boot();
      await platform.beat('w1', cores(1));
      await platform.until(() => platform.epochs.some(({ epoch }) => epoch === round), `epoch ${round}`);
      await stop();
    }
    await (await manager(platform.nc)).streams.delete('KV_scheduler');

    await platform.boot();
    await platform.beat('w1', cores(1));
    const taskId = await platform.submit({ resources: one });
    await platform.until(() => platform.assigned.length === 1, 'the assignment');
    expect(platform.assigned[0]).toMatchObject({ taskId });
    expect(Math.max(...platform.epochs.map(({ epoch }) => epoch))).toBe(4);
  });

  it('knows from its snapshot what ran and what waited, without reading that part of the streams again', async () => {
    const snapshots = { everyCommits: 1, checkMs: 20, atStopFromCommits: 1 };
    const before = await platform.boot({ snapshots });
    await platform.beat('w1', cores(1));
    const running = await platform.submit({ resources: one });
    await platform.until(() => platform.assigned.length === 1, 'the assignment');
    await platform.record(platform.assigned[0]!);
    const high = await platform.submit({ resources: one, priority: 5 });
    const low = await platform.submit({ resources: one });
    await platform.until(
      async () => (await before.client.request(getQueue, {}, context)).entries.length === 2,
      'queue',
    );
    await before.stop();
    // Without their submissions the stream alone could not tell of these two.
    const jsm = await manager(platform.nc);
    for (const sequence of [1, 3]) await jsm.streams.deleteMessage(streams.tasks.name, sequence);
    const { client } = await platform.boot({ snapshots });
    const queue = await client.request(getQueue, {}, context);
    expect(queue.entries.map(({ taskId }) => taskId)).toEqual([high, low]);
    await platform.beat('w1', { ...cores(1), running: [{ taskId: running, attempt: 1, phase: 'running' as const }] });
    const { workers } = await client.request(listWorkers, {}, context);
    expect(workers).toMatchObject([{ id: 'w1', allocated: { cpu: 1 } }]);
    expect(platform.assigned).toHaveLength(1);
    await platform.succeed(running);
    await platform.until(() => platform.assigned.length === 2, 'the next assignment');
    expect(platform.assigned[1]).toMatchObject({ taskId: high, workerId: 'w1', attempt: 1 });
  });

  it('places nothing of its snapshot that has ended and left TASKS while it was away', async () => {
    const snapshots = { everyCommits: 1, checkMs: 20, atStopFromCommits: 1 };
    const before = await platform.boot({ snapshots });
    const [ended, waiting] = [await platform.submit({ resources: one }), await platform.submit({ resources: one })];
    await platform.until(
      async () => (await before.client.request(getQueue, {}, context)).entries.length === 2,
      'queue',
    );
    await before.stop();
    await platform.commit(ended, { type: 'TaskCancelled', data: { attempt: 1, finishedAt: 1 } });
    await (await manager(platform.nc)).streams.purge(streams.tasks.name, { filter: subjects.task(ended) });
    const late = await platform.submit({ resources: one });
    const { client } = await platform.boot({ snapshots });
    await platform.beat('w1', cores(4));
    await platform.until(() => platform.assigned.length === 2, 'both assignments');
    expect(platform.assigned.map(({ taskId }) => taskId)).toEqual([waiting, late]);
    expect((await client.request(explainTask, { taskId: ended }, context)).state).toBe('unknown');
  });

  it('lets one of two schedulers decide, and the other one go on when the first stops', async () => {
    const first = await platform.boot();
    const second = await platform.boot();
    await platform.beat('w1', cores(20));
    const early = await Promise.all(Array.from({ length: 10 }, () => platform.submit({ resources: one })));
    await platform.until(() => platform.assigned.length === 10, 'assignments of the first');
    await first.stop();
    const late = await Promise.all(Array.from({ length: 10 }, () => platform.submit({ resources: one })));
    await platform.until(() => platform.assigned.length === 20, 'assignments of the second');
    expect(platform.assigned.map(({ taskId }) => taskId).sort()).toEqual([...early, ...late].sort());
    expect((await second.client.request(listWorkers, {}, context)).workers).toMatchObject([{ allocated: { cpu: 20 } }]);
    expect(platform.epochs.at(-1)!.epoch).toBeGreaterThan(1);
  });
});

describe('a start while ended tasks leave TASKS', () => {
  it('places what waits and nothing that has ended, however much of it is still there', async () => {
    const jsm = await manager(platform.nc);
    const ended: string[] = [];
    for (let left = 1; left <= 3; left += 1) {
      const taskId = await platform.submit({ resources: one });
      ended.push(taskId);
      const at = (await jsm.streams.info(streams.tasks.name)).state.last_seq;
      const assigned = { taskId, attempt: 1, workerId: 'w1', workerName: 'w1', leaseMs: 1, gpuIds: [], assignedAt: 1 };
      await platform.commit(taskId, { type: 'TaskAssigned', data: assigned });
      await platform.succeed(taskId);
      // Its first one to three commits are gone.
      for (let gone = 0; gone < left; gone += 1) await jsm.streams.deleteMessage(streams.tasks.name, at + gone);
    }
    const waiting = await platform.submit({ resources: one });
    const { client } = await platform.boot();
    await platform.beat('w1', cores(4));
    await platform.until(() => platform.assignmentsOf(waiting).length === 1, 'the waiting task is placed');
    expect(platform.assigned.map(({ taskId }) => taskId)).toEqual([waiting]);
    expect(platform.revoked).toEqual([]);
    for (const taskId of ended) {
      const { state } = await client.request(explainTask, { taskId }, context);
      expect(state).toBe('unknown');
    }
  });
});
