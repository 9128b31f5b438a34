import { eventually } from '@gantry/testing/eventually';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compiledPrograms } from './testing/agent-process.js';
import { FakeGpu } from './testing/fake-gpu.js';
import { WorkerWorld } from './testing/worker-world.js';
import { WorkerAgent } from './worker-agent.js';

describe('end of a task that holds a GPU', () => {
  const path = process.env['PATH'];
  const gpu = new FakeGpu();
  let world: WorkerWorld;
  let agent: WorkerAgent;

  beforeAll(async () => {
    process.env['PATH'] = gpu.path(path);
    world = await WorkerWorld.create();
    agent = await WorkerAgent.start(
      world.settings({ GANTRY_WORKER_RUNTIME: 'process' }),
      world.logger(),
      compiledPrograms(),
    );
  });

  afterAll(async () => {
    process.env['PATH'] = path;
    await agent?.stop();
    await world?.stop();
    await gpu.remove();
  });

  it('confirms a cancel only when no process of the task is left on the device', async () => {
    const taskId = await world.assign(
      { command: ['sh', '-c', 'echo hi; sleep 1000'], resources: { cpu: 1, memoryMb: 64, gpu: { count: 1 } } },
      { gpuIds: [gpu.id] },
    );
    await eventually(async () => expect((await world.storedLog(taskId)).lines.map(({ text }) => text)).toContain('hi'));
    const pid = await gpu.hold(taskId);
    await world.revoke(taskId, { graceMs: 300 });
    await eventually(async () =>
      expect((await world.storedLog(taskId)).lines.map(({ text }) => text).at(-1)).toContain(
        `waiting until its GPUs are free (held by process ${pid})`,
      ),
    );
    await eventually(() =>
      expect(world.heartbeats.at(-1)?.running).toEqual([{ taskId, attempt: 1, phase: 'collecting', gpuIds: [gpu.id] }]),
    );
    expect(world.reportsOf(taskId).map(({ type }) => type)).not.toContain('exited');
    gpu.free();
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'cancelled' });
    // Without waiting for the next heartbeat that is due: until then the scheduler may keep the device back.
    await eventually(() => expect(world.heartbeats.at(-1)?.running.flatMap(({ gpuIds = [] }) => gpuIds)).toEqual([]), {
      timeoutMs: 2_000,
    });
  });
});
