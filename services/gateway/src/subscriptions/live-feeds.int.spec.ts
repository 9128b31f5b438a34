import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MetricBatch } from '@gantry/contracts/agents/metric-batch';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { listWorkers, type WorkerView } from '@gantry/contracts/scheduling/scheduler-requests';
import { publishBytes, publishJson } from '@gantry/jetstream/publisher';
import { ensureStream } from '@gantry/jetstream/stream-admin';
import { eventually } from '@gantry/testing/eventually';
import { bearer, collect, subscriber } from '../testing/api-client.js';
import { OTHER_ID, World } from '../testing/world.fixture.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(async () => {
  await world.stop();
});

function worker(id: string, lastHeartbeatAt: number): WorkerView {
  const capacity = { cpu: 4, memoryMb: 1_000, storageMb: 1_000 };
  return {
    id,
    status: 'active',
    spec: {
      name: id,
      hostname: id,
      address: '10.0.0.1',
      os: 'linux',
      agentVersion: '1',
      runtime: 'docker',
      runtimeVersion: '1',
      capacity,
      gpus: [],
      labels: { zone: 'a' },
      queues: [],
      images: [],
      maxTasks: 4,
    },
    usage: { cpuPercent: 1, memoryUsedMb: 1, storageUsedMb: 1, load1: 0 },
    allocated: { cpu: 0, memoryMb: 0, storageMb: 0 },
    allocatedGpuIds: [],
    running: [],
    counters: { completed: 0, failed: 0 },
    startedAt: 1,
    lastHeartbeatAt,
  };
}

describe('live feeds', () => {
  it('tells each user about their own tasks only, and what left the filter', async () => {
    const own = subscriber(world.url, await world.token());
    const seen = collect<{ taskChanged: { id: string; status: string } }>(
      own,
      'subscription { taskChanged(filter: { statuses: [queued, assigned] }) { id status } }',
    );
    await eventually(() => expect(world.parts.taskFeed.subscribers).toBe(1));
    const foreign = await world.addTask({}, OTHER_ID);
    const mine = await world.addTask();
    await world.start(mine.id);
    await world.succeed(mine.id);
    await eventually(() => expect(seen.values.map(({ taskChanged }) => taskChanged.status).at(-1)).toBe('running'));
    expect(seen.values.map(({ taskChanged }) => taskChanged.id)).not.toContain(foreign.id);
    await own.dispose();
    await eventually(() => expect(world.parts.taskFeed.subscribers).toBe(0));
  });

  it('go on past what cannot be read: not JSON, no commit, and data that does not fit the fold', async () => {
    const own = subscriber(world.url, await world.token());
    const seen = collect<{ taskChanged: { id: string; status: string } }>(
      own,
      'subscription { taskChanged { id status } }',
    );
    const { id: talking } = await world.addTask();
    const logs = collect<{ taskLogs: { lines: { text: string }[] } }>(
      own,
      `subscription { taskLogs(taskId: "${talking}") { lines { text } } }`,
    );
    await eventually(() => expect(world.parts.taskFeed.subscribers).toBeGreaterThan(0));
    const mine = await world.addTask();
    const unfit = {
      ...{ id: 'strange', stream: 'TASKS', aggregateId: mine.id, version: 2, schemaVersion: 1, occurredAt: 1 },
      ...{ actor: { kind: 'service', id: 'tasks' }, correlationId: 'c', causationId: 'c' },
      events: [{ type: 'TaskSucceeded', data: null }],
    };
    const garbage = Buffer.from('not JSON');
    const skipped = async (): Promise<number> =>
      Number(/skipped_total\{[^}]*stream="TASKS"[^}]*\} (\d+)/.exec(await world.parts.registry.metrics())?.[1] ?? 0);
    await publishBytes(world.nc, subjects.task(mine.id), garbage);
    await publishJson(world.nc, subjects.task(mine.id), { no: 'commit' });
    await publishJson(world.nc, subjects.task(mine.id), unfit);
    for (const subject of [subjects.metrics('w1'), subjects.fleet('w1'), subjects.logs('w1', talking)])
      await publishBytes(world.nc, subject, garbage);
    const other = await world.addTask();
    await world.start(other.id);
    await eventually(() => {
      const states = seen.values.filter(({ taskChanged }) => taskChanged.id === other.id);
      expect(states.at(-1)?.taskChanged.status).toBe('running');
    });
    expect(await skipped()).toBe(2);
    expect(world.parts.health.report().status).toBe('healthy');
    await world.addLog(talking, [1]);
    await eventually(() =>
      expect(logs.values.flatMap(({ taskLogs }) => taskLogs.lines.map(({ text }) => text))).toEqual(['line 1']),
    );
    expect(logs.errors).toEqual([]);
    await own.dispose();
  });

  it('sends samples of machines to everybody, of tasks to their owners', async () => {
    const mine = await world.addTask();
    const foreign = await world.addTask({}, OTHER_ID);
    const sample = (taskId: string) => ({
      taskId,
      attempt: 1,
      t: 1,
      cpuPercent: 1,
      memoryUsedMb: 1,
      memoryLimitMb: 1,
      networkRxBytesPerSecond: 0,
      networkTxBytesPerSecond: 0,
      diskReadBytesPerSecond: 0,
      diskWriteBytesPerSecond: 0,
      processes: 1,
    });
    const gpu = {
      gpuId: 'g',
      gpuIndex: 0,
      model: 'm',
      t: 1,
      utilizationPercent: 1,
      memoryUsedMb: 1,
      memoryTotalMb: 1,
      temperatureC: null,
      powerWatts: null,
      smClockMhz: null,
      memoryClockMhz: null,
      eccErrors: null,
      taskId: foreign.id,
    };
    const batch: MetricBatch = {
      workerId: 'w1',
      session: 's',
      sequence: 1,
      gpus: [gpu],
      host: [],
      tasks: [sample(mine.id), sample(foreign.id)],
    };
    const client = subscriber(world.url, await world.token());
    const seen = collect<{ metrics: { tasks: { taskId: string }[]; gpus: { taskId: string | null }[] } }>(
      client,
      'subscription { metrics { workerId gpus tasks } }',
    );
    await eventually(() => expect(world.parts.metricFeed.subscribers).toBe(1));
    await publishJson(world.nc, subjects.metrics('w1'), batch);
    await eventually(() => expect(seen.values).toHaveLength(1));
    expect(seen.values[0]?.metrics.tasks.map(({ taskId }) => taskId)).toEqual([mine.id]);
    expect(seen.values[0]?.metrics.gpus.map(({ taskId }) => taskId)).toEqual([null]);
    await client.dispose();
  });

  it('sends every worker at once, then those that changed', async () => {
    let heartbeat = 1;
    world.services.on(listWorkers, () => ({ workers: [worker('w1', heartbeat), worker('w2', 1)] }));
    const client = subscriber(world.url, await world.token());
    const seen = collect<{ workerChanged: { id: string; lastHeartbeatAt: number } }>(
      client,
      'subscription { workerChanged { id lastHeartbeatAt labels { key value } } }',
    );
    await eventually(() =>
      expect(seen.values.map(({ workerChanged }) => workerChanged.id).sort()).toEqual(['w1', 'w2']),
    );
    heartbeat = 2;
    await publishJson(world.nc, subjects.fleet('w1'), {});
    await eventually(() =>
      expect(seen.values.some(({ workerChanged }) => workerChanged.lastHeartbeatAt === 2)).toBe(true),
    );
    await client.dispose();
  });

  it('sends the summary at once and again when a task changed', async () => {
    const client = subscriber(world.url, await world.token({ userId: OTHER_ID }));
    const seen = collect<{ summary: { total: number } }>(
      client,
      'subscription { summary { total degraded byStatus { status count } } }',
    );
    await eventually(() => expect(seen.values).toHaveLength(1));
    await world.addTask({}, OTHER_ID);
    await eventually(() => expect(seen.values.at(-1)?.summary.total).toBe((seen.values[0]?.summary.total ?? 0) + 1));
    await client.dispose();
  });

  it('streams events with ids and tells what was missed', async () => {
    const read = async (lastEventId: string | undefined, until: RegExp) => {
      const controller = new AbortController();
      const response = await fetch(`${world.url}/api/stream/tasks`, {
        headers: {
          ...bearer(await world.token()),
          ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
        },
        signal: controller.signal,
      });
      let text = '';
      try {
        for await (const chunk of response.body ?? []) {
          text += Buffer.from(chunk).toString();
          if (until.test(text)) break;
        }
      } finally {
        controller.abort();
      }
      return text;
    };
    const first = read(undefined, /event: task/);
    await eventually(() => expect(world.parts.taskFeed.subscribers).toBe(1));
    const { id } = await world.addTask();
    const position = /^id: (\d+)$/m.exec(await first)?.[1];
    await world.start(id);
    const missed = await world.addTask();
    const text = await read(position, new RegExp(missed.id));
    expect(text).toContain('"status":"running"');
  });

  it('goes on after the broker was killed', async () => {
    const { id } = await world.addTask();
    const client = subscriber(world.url, await world.token());
    const seen = collect<{ task: { status: string } }>(client, 'subscription ($id: ID!) { task(id: $id) { status } }', {
      id,
    });
    await eventually(() => expect(seen.values).toHaveLength(1));
    await world.nats.restart();
    await Promise.all(
      [streams.metrics, streams.fleet].map((stream) => eventually(() => ensureStream(world.nc, stream))),
    );
    await world.start(id);
    await world.succeed(id);
    await eventually(() => expect(seen.values.at(-1)?.task.status).toBe('succeeded'), { timeoutMs: 30_000 });
    expect(seen.errors).toEqual([]);
    await client.dispose();
  });
});
