import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WorkerWorld } from './testing/worker-world.js';
import { WorkerAgent } from './worker-agent.js';

describe('agent that simulates', () => {
  let world: WorkerWorld;
  let agent: WorkerAgent;

  beforeAll(async () => {
    world = await WorkerWorld.create();
    agent = await WorkerAgent.start(world.settings({ GANTRY_WORKER_RUNTIME: 'simulated' }), world.logger());
  });
  afterAll(async () => {
    await agent?.stop();
    await world?.stop();
  });

  it('sends every message of an agent and says in each place that it simulates', async () => {
    const taskId = await world.assign({
      queue: 'simulated',
      labels: { 'simulated-ms': '50', 'simulated-exit-code': '4' },
    });
    expect(await world.exitOf(taskId)).toMatchObject({
      outcome: 'exited',
      exitCode: 4,
      containerId: `simulated-${taskId}-1`,
    });
    expect(world.reportsOf(taskId).map(({ type }) => type)).toEqual(['accepted', 'started', 'exited']);
    expect((await world.storedLog(taskId)).lines[0]?.text).toMatch(/^Simulated: nothing runs\./);
    expect(world.heartbeats.at(-1)?.spec).toMatchObject({
      runtime: 'simulated',
      queues: ['simulated'],
      labels: { simulated: 'true' },
    });
  });

  it('refuses a task that did not ask for it', async () => {
    const taskId = await world.assign({ queue: 'default' });
    expect(await world.exitOf(taskId)).toMatchObject({
      outcome: 'failed_to_start',
      message: expect.stringContaining('This worker only simulates.'),
    });
  });
});
