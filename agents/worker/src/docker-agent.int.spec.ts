import { createHash } from 'node:crypto';
import { type DockerEngineFixture, importBusyboxImage, startDockerEngine } from '@gantry/testing/docker-engine.fixture';
import { eventually } from '@gantry/testing/eventually';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WorkerWorld } from './testing/worker-world.js';
import { WorkerAgent } from './worker-agent.js';

const sh = (script: string): string[] => ['sh', '-c', script];

describe('agent on a Docker engine', () => {
  let engine: DockerEngineFixture;
  let world: WorkerWorld;
  let agent: WorkerAgent;
  let docker: Docker;

  beforeAll(async () => {
    engine = await startDockerEngine();
    await importBusyboxImage(engine.socketPath, 'gantry-test/busybox:latest');
    docker = new Docker({ socketPath: engine.socketPath });
    world = await WorkerWorld.create();
    agent = await WorkerAgent.start(
      world.settings({
        GANTRY_WORKER_RUNTIME: 'docker',
        DOCKER_HOST: `unix://${engine.socketPath}`,
        GANTRY_METRICS_INTERVAL_MS: '250',
        GANTRY_WORKER_LABELS: 'zone=eu,provider=on-prem',
      }),
      world.logger(),
    );
  });

  afterAll(async () => {
    await agent?.stop();
    await world?.stop();
    await engine?.stop();
  });

  it('joins with its specs', () => {
    const [first] = world.heartbeats;
    expect(first?.spec).toMatchObject({
      runtime: 'docker',
      labels: { zone: 'eu', provider: 'on-prem' },
      maxTasks: 64,
      gpus: [],
    });
    expect(first?.spec.images).toContain('gantry-test/busybox:latest');
    expect(first?.spec.capacity.memoryMb).toBeGreaterThan(100);
  });

  it('runs a command: reports, log lines of both streams, exit code, and nothing left over', async () => {
    const taskId = await world.assign({
      command: sh('echo out; echo err >&2; id -u; echo "$GANTRY_TASK_ID $GANTRY_ATTEMPT $GANTRY_OUTPUT"; exit 3'),
    });
    const exit = await world.exitOf(taskId);
    expect(exit).toMatchObject({ outcome: 'exited', exitCode: 3, message: expect.stringContaining('code 3') });
    expect(world.reportsOf(taskId).map(({ type }) => type)).toEqual(['accepted', 'started', 'exited']);
    const { lines, ends } = await world.storedLog(taskId);
    const of = (stream: string): string[] => lines.filter((line) => line.stream === stream).map(({ text }) => text);
    expect(of('stdout')).toEqual(['out', '65532', `${taskId} 1 /output`]);
    expect(of('stderr')).toEqual(['err']);
    expect(of('system')).toEqual([exit.message]);
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, index) => index + 1));
    expect(ends).toBe(1);
    await eventually(async () => {
      expect(await docker.listContainers({ all: true, filters: { label: [`gantry.task=${taskId}`] } })).toEqual([]);
      expect(agent.running).toEqual([]);
    });
  });

  it('keeps the files of /output, whatever their names', async () => {
    const taskId = await world.assign({
      command: sh(
        'mkdir -p /output/sub; echo hello > /output/sub/result.txt; : > /output/empty; echo odd > "/output/a b"; ln -s /etc/passwd /output/link; ln -s / /output/root; mkfifo /output/pipe; echo bad > "/output/back\\\\slash"; printf x > "$(printf "/output/\\377\\376")"',
      ),
    });
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'exited', exitCode: 0 });
    const stored = world.artifacts.filter((artifact) => artifact.taskId === taskId);
    expect(stored.map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual([
      ['a b', 4],
      ['empty', 0],
      ['sub/result.txt', 6],
    ]);
    expect(stored.find(({ path }) => path === 'sub/result.txt')?.sha256).toBe(
      createHash('sha256').update('hello\n').digest('hex'),
    );
    for (const { sha256, receivedSha256 } of stored) expect(receivedSha256).toBe(sha256);
    const { lines } = await world.storedLog(taskId);
    const skipped = lines.filter(({ stream }) => stream === 'system').map(({ text }) => text);
    expect(skipped).toHaveLength(5);
    for (const name of ['link', 'root', 'pipe', 'slash', 'UTF-8']) expect(skipped.join('\n')).toContain(name);
  });
});
