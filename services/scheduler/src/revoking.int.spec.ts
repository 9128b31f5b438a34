import { explainTask, listWorkers } from '@gantry/contracts/scheduling/scheduler-requests';
import type { RequestContext } from '@gantry/contracts/messaging/request';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { workerSpec } from './testing/samples.js';
import { TestPlatform } from './testing/platform.fixture.js';

const context: RequestContext = { actor: { kind: 'service', id: 'test' }, correlationId: 'test' };
const one = { cpu: 1, memoryMb: 64, storageMb: 0, gpu: { count: 0 } };
const cores = (cpu: number) => ({ spec: workerSpec({ capacity: { cpu, memoryMb: 8_192, storageMb: 100_000 } }) });

let platform: TestPlatform;

beforeEach(async () => {
  platform = await TestPlatform.start();
});

afterEach(() => platform.stop());

describe('revoking', () => {
  it('revokes a running task that is cancelled, with its grace', async () => {
    await platform.boot();
    await platform.beat('w1');
    const taskId = await platform.submit({ resources: one });
    await platform.until(() => platform.assigned.length === 1, 'the assignment');
    await platform.record(platform.assigned[0]!);
    await platform.requestCancel(taskId, 1_234);
    await platform.until(() => platform.revoked.length === 1, 'the revocation');
    expect(platform.revoked[0]).toMatchObject({
      taskId,
      attempt: 1,
      workerId: 'w1',
      graceMs: 1_234,
      reason: 'cancelled',
    });
  });

  it('takes back what was assigned while the task was cancelled, and keeps its room until the agent let go', async () => {
    const { client } = await platform.boot();
    await platform.beat('w1');
    const taskId = await platform.submit({ resources: one });
    await platform.until(() => platform.assigned.length === 1, 'the assignment');
    // The tasks service had not recorded the assignment when the user cancelled.
    await platform.commit(
      taskId,
      { type: 'TaskCancelRequested', data: { requestedBy: 'u1', graceMs: 100, at: Date.now() } },
      { type: 'TaskCancelled', data: { attempt: 0, finishedAt: Date.now() } },
    );
    await platform.until(() => platform.revoked.length === 1, 'the revocation');
    expect(platform.revoked[0]).toMatchObject({ taskId, attempt: 1, reason: 'superseded' });
    const allocated = async () => (await client.request(listWorkers, {}, context)).workers[0]!.allocated.cpu;
    expect(await allocated()).toBe(1);
    await platform.beat('w1');
    await expect.poll(allocated).toBe(0);
  });

  it('revokes an attempt that a worker runs although the task has a newer one elsewhere', async () => {
    await platform.boot();
    await platform.beat('w1', cores(1));
    const taskId = await platform.submit({ resources: one });
    await platform.until(() => platform.assigned.length === 1, 'the first attempt');
    await platform.record(platform.assigned[0]!);
    await platform.beat('w2', cores(1));
    const other = await platform.submit({ resources: one });
    await platform.until(() => platform.assigned.length === 2, 'the other task');
    expect(platform.assigned[1]).toMatchObject({ taskId: other, workerId: 'w2' });
    await platform.requeue(taskId, 1, Date.now() + 3_600_000);
    const running = [{ taskId, attempt: 1, phase: 'running' as const }];
    await expect
      .poll(async () => {
        await platform.beat('w1', { ...cores(1), running });
        return platform.revoked.find((entry) => entry.taskId === taskId);
      })
      .toMatchObject({ workerId: 'w1', attempt: 1, reason: 'superseded' });
  });
});

describe('withdrawing', () => {
  const withdrawn = (taskId: string) => platform.withdrawn.filter((data) => data.taskId === taskId);

  it('tells that a task cancelled in the queue gets no worker, once, and gives it to none', async () => {
    const { client } = await platform.boot();
    const taskId = await platform.submit({ resources: one });
    const other = await platform.submit({ resources: one });
    await platform.requestCancel(taskId);
    await platform.until(() => withdrawn(taskId).length > 0, 'the withdrawal');
    expect(withdrawn(taskId)).toMatchObject([{ taskId, attempt: 1 }]);
    expect((await client.request(explainTask, { taskId }, context)).queuePosition).toBeNull();
    await platform.beat('w1', cores(2));
    await platform.until(() => platform.assigned.length > 0, 'the other task has a worker');
    await platform.endWithdrawn(taskId);
    await platform.until(
      async () => (await client.request(explainTask, { taskId }, context)).state === 'unknown',
      'the end is known',
    );
    expect(platform.assigned.map((data) => data.taskId)).toEqual([other]);
    expect(withdrawn(taskId)).toHaveLength(1);
    expect(withdrawn(other)).toEqual([]);
  });

  it('withdraws one that waits out its back-off, under the attempt that would have come', async () => {
    await platform.boot();
    await platform.beat('w1');
    const taskId = await platform.submit({ resources: one });
    await platform.until(() => platform.assigned.length === 1, 'the first attempt');
    await platform.record(platform.assigned[0]!);
    await platform.requeue(taskId, 1, Date.now() + 3_600_000);
    await platform.requestCancel(taskId);
    await platform.until(() => withdrawn(taskId).length > 0, 'the withdrawal');
    expect(withdrawn(taskId)).toMatchObject([{ attempt: 2 }]);
  });

  it('is done after a restart for what was cancelled meanwhile, also from a snapshot', async () => {
    const keeping = { snapshots: { atStopFromCommits: 1 } };
    const first = await platform.boot(keeping);
    const taskId = await platform.submit({ resources: one });
    await first.stop();
    await platform.requestCancel(taskId);
    const second = await platform.boot(keeping);
    await platform.until(() => withdrawn(taskId).length === 1, 'the withdrawal');
    await second.stop();
    // Nobody has recorded it, and the next one cannot know whether anybody will.
    await platform.boot();
    await platform.until(() => withdrawn(taskId).length === 2, 'the withdrawal once more');
  });
});
