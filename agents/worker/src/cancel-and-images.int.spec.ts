import { type DockerEngineFixture, importBusyboxImage, startDockerEngine } from '@gantry/testing/docker-engine.fixture';
import { uuidV7Ids } from '@gantry/kernel/ids';
import { eventually } from '@gantry/testing/eventually';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SmallRegistry } from './testing/small-registry.js';
import { WorkerWorld } from './testing/worker-world.js';
import { WorkerAgent } from './worker-agent.js';

const sh = (script: string): string[] => ['sh', '-c', script];

describe('cancelling and images', () => {
  let engine: DockerEngineFixture;
  let registry: SmallRegistry;
  let world: WorkerWorld;
  let agent: WorkerAgent;
  let docker: Docker;

  beforeAll(async () => {
    engine = await startDockerEngine();
    registry = await SmallRegistry.start();
    await importBusyboxImage(engine.socketPath, 'gantry-test/busybox:latest');
    docker = new Docker({ socketPath: engine.socketPath });
    world = await WorkerWorld.create();
    agent = await WorkerAgent.start(
      world.settings({
        GANTRY_WORKER_RUNTIME: 'docker',
        DOCKER_HOST: `unix://${engine.socketPath}`,
        GANTRY_WORKER_START_CONCURRENCY: '1',
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

  const nothingLeftOf = (taskId: string): Promise<void> =>
    eventually(async () => {
      expect(await docker.listContainers({ all: true, filters: { label: [`gantry.task=${taskId}`] } })).toEqual([]);
      expect(agent.running.filter((attempt) => attempt.taskId === taskId)).toEqual([]);
    });

  it('pulls an image that is not there, with reports', async () => {
    const taskId = await world.assign({ image: `${registry.address}/present:1`, command: ['nothing-inside'] });
    // The image is empty, so the command cannot exist; what counts is that the pull worked.
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'failed_to_start' });
    expect(world.reportsOf(taskId).map(({ type }) => type)).toContain('pulling');
    expect((await docker.getImage(`${registry.address}/present:1`).inspect()).RepoTags).toEqual([
      `${registry.address}/present:1`,
    ]);
  });

  it('pulls an image again that was removed a moment after it was seen', async () => {
    const image = `${registry.address}/present:1`;
    await world.exitOf(await world.assign({ image, command: ['nothing-inside'] }));
    await docker.getImage(image).remove({ force: true });
    const taskId = await world.assign({ image, command: ['nothing-inside'] });
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'failed_to_start' });
    expect((await docker.getImage(image).inspect()).RepoTags).toEqual([image]);
  });

  it.each([
    ['absent:1', 'does not exist in its registry'],
    ['private:1', 'refused access'],
  ])('says what is wrong with the image %s', async (name, words) => {
    const taskId = await world.assign({ image: `${registry.address}/${name}` });
    expect(await world.exitOf(taskId)).toMatchObject({
      outcome: 'image_error',
      message: expect.stringContaining(words),
    });
    expect(world.reportsOf(taskId).some(({ type }) => type === 'started')).toBe(false);
  });

  it('says that a registry cannot be reached', async () => {
    const taskId = await world.assign({ image: '127.0.0.1:1/some:1' });
    expect(await world.exitOf(taskId)).toMatchObject({
      outcome: 'image_error',
      message: expect.stringContaining('could not be reached'),
    });
  });

  it('cancels right after the assignment', async () => {
    const taskId = await world.assign({ command: ['sleep', '600'] });
    await world.revoke(taskId, { graceMs: 0 });
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'cancelled' });
    await nothingLeftOf(taskId);
  });

  it('cancels before the assignment has been looked at', async () => {
    const taskId = uuidV7Ids.next();
    // One commit of both, so the agent cannot read one without the other.
    await world.publish([world.assigned({ command: ['sleep', '600'] }, { taskId }), world.revoked(taskId)]);
    expect(await world.exitOf(taskId)).toMatchObject({
      outcome: 'cancelled',
      message: expect.stringContaining('before the container started'),
    });
    expect(world.reportsOf(taskId).map(({ type }) => type)).toEqual(['exited']);
    await nothingLeftOf(taskId);
  });

  it('cancels during a pull', async () => {
    const taskId = await world.assign({ image: `${registry.address}/slow:1` });
    await eventually(() => expect(world.reportsOf(taskId).map(({ type }) => type)).toContain('pulling'));
    await world.revoke(taskId);
    const exit = await world.exitOf(taskId);
    expect(exit).toMatchObject({
      outcome: 'cancelled',
      message: expect.stringContaining('before the container started'),
    });
    expect(exit.startedAt).toBeUndefined();
    await nothingLeftOf(taskId);
  });

  it('cancels while waiting for its turn to start, and at any moment of the start', async () => {
    const taskIds = await Promise.all(Array.from({ length: 6 }, () => world.assign({ command: ['sleep', '600'] })));
    for (const [index, taskId] of taskIds.entries()) {
      await new Promise((resolve) => setTimeout(resolve, index * 20));
      await world.revoke(taskId, { graceMs: 100 });
    }
    for (const taskId of taskIds) {
      expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'cancelled' });
      await nothingLeftOf(taskId);
    }
  });

  it('cancels a running task that listens to SIGTERM', async () => {
    const taskId = await world.assign({
      command: sh('trap "echo bye; exit 0" TERM; echo hi; while true; do sleep 0.1; done'),
    });
    await world.started(taskId);
    await eventually(async () => expect((await world.storedLog(taskId)).lines.map(({ text }) => text)).toEqual(['hi']));
    await world.revoke(taskId, { graceMs: 20_000 });
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'cancelled', exitCode: 0 });
    expect((await world.storedLog(taskId)).lines.map(({ text }) => text)).toContain('bye');
    await nothingLeftOf(taskId);
  });

  it('kills a running task that does not listen, after the grace', async () => {
    const taskId = await world.assign({ command: sh('trap "" TERM; while true; do sleep 0.1; done') });
    await world.started(taskId);
    await world.revoke(taskId, { graceMs: 500 });
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'cancelled', exitCode: 137 });
    await nothingLeftOf(taskId);
  });

  it('cancels while files are being stored', async () => {
    world.uploadsHeld = true;
    const taskId = await world.assign({ command: sh('echo x > /output/file') });
    await eventually(() => expect(agent.running).toContainEqual({ taskId, attempt: 1, phase: 'collecting' }));
    await world.revoke(taskId);
    world.uploadsHeld = false;
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'cancelled', exitCode: 0 });
    expect(world.artifacts.filter((artifact) => artifact.taskId === taskId)).toEqual([]);
    await nothingLeftOf(taskId);
  });

  it('runs an assignment once, however often it is published', async () => {
    const taskId = await world.assign({ command: sh('echo once') });
    await world.exitOf(taskId);
    await nothingLeftOf(taskId);
    await world.assign({ command: sh('echo twice') }, { taskId });
    const other = await world.assign({ command: sh('echo other') });
    await world.exitOf(other);
    expect(world.reportsOf(taskId).filter(({ type }) => type === 'exited')).toHaveLength(1);
    expect((await world.storedLog(taskId)).lines.map(({ text }) => text)).toEqual(['once']);
  });

  it('does not act on what the stream refused', async () => {
    const sequence = await world.revoke('00000000-0000-7000-8000-000000000000');
    await expect(
      world.assign({ command: ['sleep', '600'] }, { taskId: '00000000-0000-7000-8000-00000000dead' }, sequence - 1),
    ).rejects.toThrow(/last sequence/);
    const next = await world.assign({ command: ['true'] });
    await world.exitOf(next);
    expect(world.reportsOf('00000000-0000-7000-8000-00000000dead')).toEqual([]);
  });

  it('refuses GPUs that it does not have', async () => {
    const taskId = await world.assign({ command: ['true'] }, { gpuIds: ['GPU-0'] });
    await eventually(() =>
      expect(world.reportsOf(taskId)).toEqual([{ type: 'rejected', message: 'This worker has no GPU GPU-0.' }]),
    );
  });
});
