import { type DockerEngineFixture, importBusyboxImage, startDockerEngine } from '@gantry/testing/docker-engine.fixture';
import { eventually } from '@gantry/testing/eventually';
import Docker from 'dockerode';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ForgetfulEngine } from './testing/forgetful-engine.js';
import { WorkerWorld } from './testing/worker-world.js';
import { WorkerAgent } from './worker-agent.js';

/** The engine is killed after it has done what was asked and before it says so: its containers live on without it. */
describe('an engine whose answer is lost', () => {
  let real: DockerEngineFixture;
  let engine: ForgetfulEngine;
  let docker: Docker;
  let world: WorkerWorld;
  let agent: WorkerAgent;

  const containersOf = (taskId: string): Promise<Docker.ContainerInfo[]> =>
    docker.listContainers({ all: true, filters: { label: [`gantry.task=${taskId}`] } });
  const statesOf = async (taskId: string): Promise<string[]> => (await containersOf(taskId)).map(({ State }) => State);

  beforeAll(async () => {
    real = await startDockerEngine();
    await importBusyboxImage(real.socketPath, 'gantry-test/busybox:latest');
    docker = new Docker({ socketPath: real.socketPath });
    engine = await ForgetfulEngine.start(real.socketPath);
    world = await WorkerWorld.create();
    agent = await WorkerAgent.start(
      world.settings({ GANTRY_WORKER_RUNTIME: 'docker', DOCKER_HOST: `unix://${engine.socketPath}` }),
      world.logger(),
    );
  });

  afterEach(() => {
    engine.isAway = false;
    engine.hearsOfMemoryLate = false;
  });

  afterAll(async () => {
    await agent?.stop();
    await world?.stop();
    engine?.stop();
    await real?.stop();
  });

  it('calls nothing failed or cancelled that may run: a start counts as open until the engine is back', async () => {
    const lost = engine.loseAnswer(/\/containers\/[0-9a-f]+\/start/, { thenAway: true });
    const taskId = await world.assign({ command: ['sleep', '600'] });
    await lost;
    const revokedAt = await world.revoke(taskId);
    await eventually(() => expect(world.heartbeats.at(-1)?.assignSequence).toBeGreaterThanOrEqual(revokedAt), {
      timeoutMs: 20_000,
    });
    expect(await statesOf(taskId)).toEqual(['running']);
    expect(world.reportsOf(taskId).map(({ type }) => type)).not.toContain('exited');

    engine.isAway = false;
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'cancelled' });
    expect(await statesOf(taskId)).not.toContain('running');
    expect(world.reportsOf(taskId).map(({ type }) => type)).toContain('started');
  });

  it('goes on with a container that was started', async () => {
    const lost = engine.loseAnswer(/\/containers\/[0-9a-f]+\/start/);
    const taskId = await world.assign({ command: ['sh', '-c', 'sleep 1; exit 7'] });
    await lost;
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'exited', exitCode: 7 });
  });

  it('leaves no container behind that was made unseen', async () => {
    const lost = engine.loseAnswer(/\/containers\/create/);
    const taskId = await world.assign({ command: ['sleep', '600'] });
    await lost;
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'infrastructure_error' });
    await eventually(async () => expect(await containersOf(taskId)).toEqual([]), { timeoutMs: 20_000 });
  });

  it('tells running out of memory from other ends though the engine heard of the end first', async () => {
    engine.hearsOfMemoryLate = true;
    const hungry = await world.assign({
      command: ['sh', '-c', 'x=a; while true; do x=$x$x; done'],
      resources: { cpu: 1, memoryMb: 16 },
    });
    expect(await world.exitOf(hungry)).toMatchObject({ outcome: 'out_of_memory', exitCode: 137 });
    const other = await world.assign({ command: ['sh', '-c', 'exit 137'] });
    expect(await world.exitOf(other)).toMatchObject({ outcome: 'exited', exitCode: 137 });
  });
});
