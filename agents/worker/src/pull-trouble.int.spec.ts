import { type PrivateEngineFixture, startPrivateEngine } from '@gantry/testing/docker-engine.fixture';
import { eventually } from '@gantry/testing/eventually';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SmallRegistry } from './testing/small-registry.js';
import { WorkerWorld } from './testing/worker-world.js';
import { WorkerAgent } from './worker-agent.js';

describe('a pull that gets stuck', () => {
  let engine: PrivateEngineFixture;
  let registry: SmallRegistry;
  let world: WorkerWorld;
  let agent: WorkerAgent;

  beforeAll(async () => {
    engine = await startPrivateEngine();
    registry = await SmallRegistry.start();
    world = await WorkerWorld.create();
    agent = await WorkerAgent.start(
      world.settings({
        GANTRY_WORKER_RUNTIME: 'docker',
        DOCKER_HOST: `unix://${engine.socketPath}`,
        GANTRY_WORKER_PULL_IDLE_MS: '4000',
      }),
      world.logger(),
    );
  });

  afterAll(async () => {
    await agent?.stop();
    await world?.stop();
    await registry?.stop();
    await engine?.stop();
  });

  it.each(['slow:1', 'stalled:1'])('in a registry that went silent (%s) is given up', async (name) => {
    const image = `${registry.address}/${name}`;
    const taskId = await world.assign({ image });
    const exit = await world.exitOf(taskId);
    expect(exit).toMatchObject({
      outcome: 'image_error',
      message: expect.stringContaining(`The pull of ${image} was given up`),
    });
    expect(exit.startedAt).toBeUndefined();
  });

  it('because its engine was killed is no fault of the image', async () => {
    const held = registry.held;
    const taskId = await world.assign({ image: `${registry.address}/stalled:1` });
    await eventually(() => expect(registry.held).toBeGreaterThan(held));
    await engine.kill();
    try {
      expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'infrastructure_error' });
    } finally {
      await engine.start();
    }
  });
});
