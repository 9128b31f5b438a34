import { type DockerEngineFixture, importBusyboxImage, startDockerEngine } from '@gantry/testing/docker-engine.fixture';
import { eventually } from '@gantry/testing/eventually';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WorkerWorld } from './testing/worker-world.js';
import { WorkerAgent } from './worker-agent.js';

describe('an agent that cannot renew its lease', () => {
  let engine: DockerEngineFixture;
  let world: WorkerWorld;
  let agent: WorkerAgent;

  beforeAll(async () => {
    engine = await startDockerEngine();
    await importBusyboxImage(engine.socketPath, 'gantry-test/busybox:latest');
    world = await WorkerWorld.create();
    agent = await WorkerAgent.start(
      world.settings({ GANTRY_WORKER_RUNTIME: 'docker', DOCKER_HOST: `unix://${engine.socketPath}` }),
      world.logger(),
    );
  });

  afterAll(async () => {
    await agent?.stop();
    await world?.stop();
    await engine?.stop();
  });

  it('stops what the lease covers before it ends, keeps the rest, and tells when the broker is back', async () => {
    const docker = new Docker({ socketPath: engine.socketPath });
    const short = await world.assign({ command: ['sleep', '600'] }, { leaseMs: 15_000 });
    const long = await world.assign({ command: ['sleep', '600'] }, { leaseMs: 3_600_000 });
    const { containerId } = await world.started(short);
    const other = await world.started(long);
    // Longer than the window in which an agent with healthy heartbeats would notice anything.
    const beats = world.heartbeats.length;
    await eventually(() => expect(world.heartbeats.length).toBeGreaterThan(beats + 3), { timeoutMs: 30_000 });
    expect((await docker.getContainer(containerId).inspect()).State.Running).toBe(true);

    process.kill(world.nats.pid, 'SIGSTOP');
    const cut = performance.now();
    try {
      await eventually(
        async () => expect((await docker.getContainer(containerId).inspect()).State.Running).toBe(false),
        { timeoutMs: 15_000 },
      );
    } finally {
      process.kill(world.nats.pid, 'SIGCONT');
    }
    expect(performance.now() - cut).toBeLessThan(15_000);
    expect((await docker.getContainer(other.containerId).inspect()).State.Running).toBe(true);
    expect(await world.exitOf(short)).toMatchObject({
      outcome: 'infrastructure_error',
      message: expect.stringContaining('lease'),
    });
    await world.revoke(long, { graceMs: 0 });
    expect(await world.exitOf(long)).toMatchObject({ outcome: 'cancelled' });
  });
});
