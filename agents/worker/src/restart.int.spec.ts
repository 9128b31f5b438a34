import type { ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DockerEngineFixture, importBusyboxImage, startDockerEngine } from '@gantry/testing/docker-engine.fixture';
import { eventually } from '@gantry/testing/eventually';
import Docker from 'dockerode';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AgentStore, attemptKey } from './session/agent-store.js';
import { compileAgent, endProcess, startAgentProcess } from './testing/agent-process.js';
import { removeLeftovers } from './testing/leftover-containers.js';
import { WorkerWorld } from './testing/worker-world.js';

const sh = (script: string): string[] => ['sh', '-c', script];

describe('an agent that dies, and a broker that dies', () => {
  let engine: DockerEngineFixture;
  let docker: Docker;
  let world: WorkerWorld;
  let child: ChildProcess | undefined;

  const startAgent = (extra: Record<string, string> = {}): Promise<ChildProcess> =>
    startAgentProcess(
      world.environment({ GANTRY_WORKER_RUNTIME: 'docker', DOCKER_HOST: `unix://${engine.socketPath}`, ...extra }),
      (started) => {
        child = started;
      },
    );

  beforeAll(async () => {
    compileAgent();
    engine = await startDockerEngine();
    await importBusyboxImage(engine.socketPath, 'gantry-test/busybox:latest');
    docker = new Docker({ socketPath: engine.socketPath });
  });

  afterAll(async () => {
    await engine?.stop();
  });

  beforeEach(async () => {
    world = await WorkerWorld.create();
  });

  afterEach(async () => {
    if (child !== undefined) await endProcess(child, 'SIGKILL');
    await removeLeftovers(docker, `gantry.agent=${world.workerId}`);
    await world.stop();
  });

  const numbered = (count: number, pause: string): string[] =>
    sh(
      `i=1; while [ $i -le ${count} ]; do echo "out $i"; echo "err $i" >&2; [ $((i % 20)) = 0 ] && sleep ${pause}; i=$((i+1)); done; exit 7`,
    );

  const expectComplete = async (taskId: string, count: number): Promise<void> => {
    const { lines, ends } = await world.storedLog(taskId);
    for (const [stream, word] of [
      ['stdout', 'out'],
      ['stderr', 'err'],
    ] as const) {
      const own = lines.filter((line) => line.stream === stream);
      expect(own.length).toBe(count);
      expect(own.findIndex(({ text, n }, index) => text !== `${word} ${index + 1}` || n !== index + 1)).toBe(-1);
    }
    expect(lines.findIndex(({ seq }, index) => seq !== index + 1)).toBe(-1);
    expect(ends).toBe(1);
  };

  it('a note of how far the log was read that is damaged meanwhile: no line lost or doubled, exit reported', async () => {
    await startAgent();
    const taskId = await world.assign({ command: numbered(1_000, '0.1') });
    await eventually(async () => expect((await world.storedLog(taskId)).lines.length).toBeGreaterThan(200), {
      timeoutMs: 30_000,
    });
    await endProcess(child as ChildProcess, 'SIGKILL');
    const agentFolder = join(world.dataFolder, 'worker', world.workerId);
    writeFileSync(join(agentFolder, 'attempts', attemptKey(taskId, 1), 'log.json'), '');
    await startAgent();
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'exited', exitCode: 7 });
    await expectComplete(taskId, 1_000);
  });

  it('kill -9 in the middle of a printing container, three times: no line lost or doubled, exit reported', async () => {
    await startAgent();
    // Fifteen seconds, in which a busy machine too can start the agent three times.
    const taskId = await world.assign({ command: numbered(3_000, '0.1') });
    await world.started(taskId);
    for (let round = 0; round < 3; round += 1) {
      const seen = (await world.storedLog(taskId)).lines.length;
      await eventually(async () => expect((await world.storedLog(taskId)).lines.length).toBeGreaterThan(seen + 200), {
        timeoutMs: 30_000,
      });
      await endProcess(child as ChildProcess, 'SIGKILL');
      await startAgent();
    }
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'exited', exitCode: 7 });
    await expectComplete(taskId, 3_000);
    await eventually(async () =>
      expect(
        await docker.listContainers({ all: true, filters: { label: [`gantry.agent=${world.workerId}`] } }),
      ).toEqual([]),
    );
  });

  it('collects what ended while the agent was away', async () => {
    await startAgent();
    const taskId = await world.assign({
      command: sh('echo before; sleep 1; echo after; echo data > /output/file; exit 4'),
    });
    const { containerId } = await world.started(taskId);
    await endProcess(child as ChildProcess, 'SIGKILL');
    await docker.getContainer(containerId).wait();
    await startAgent();
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'exited', exitCode: 4, containerId });
    expect((await world.storedLog(taskId)).lines.map(({ text }) => text)).toEqual(['before', 'after']);
    expect(world.artifacts.map(({ path }) => path)).toEqual(['file']);
  });

  it('applies what it missed, and cleans up what was given to somebody else', async () => {
    await startAgent();
    const superseded = await world.assign({ command: ['sleep', '600'] });
    await world.started(superseded);
    await endProcess(child as ChildProcess, 'SIGKILL');
    await world.revoke(superseded, { reason: 'worker_lost', graceMs: 0 });
    const fresh = await world.assign({ command: sh('echo fresh') });
    const gone = await world.assign({ command: sh('echo gone') });
    await world.revoke(gone);
    await startAgent();
    expect(await world.exitOf(superseded)).toMatchObject({ outcome: 'cancelled' });
    expect(await world.exitOf(fresh)).toMatchObject({ outcome: 'exited', exitCode: 0 });
    expect(await world.exitOf(gone)).toMatchObject({ outcome: 'cancelled' });
    expect(world.reportsOf(gone).map(({ type }) => type)).toEqual(['exited']);
    expect((await world.storedLog(gone)).lines).toEqual([]);
  });

  it('leaves no container behind that was cancelled between its making and its start', async () => {
    await startAgent();
    await endProcess(child as ChildProcess, 'SIGKILL');
    const { data: assignment } = world.assigned({ command: ['sleep', '600'] });
    const { taskId } = assignment;
    const { id: containerId } = await docker.createContainer({
      Image: 'gantry-test/busybox:latest',
      Labels: { 'gantry.agent': world.workerId, 'gantry.task': taskId, 'gantry.attempt': '1' },
    });
    const folder = join(world.dataFolder, 'worker', world.workerId);
    const store = new AgentStore(folder, undefined, Date.now(), (error) => expect(error).toBeUndefined());
    const ending = { cause: 'revoked', reason: 'cancelled', graceMs: 0 } as const;
    store.saveAttempt(attemptKey(taskId, 1), {
      version: 1,
      assignment,
      state: { status: 'creating', containerId, ending },
    });
    await startAgent();
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'cancelled' });
    await eventually(async () =>
      expect(await docker.listContainers({ all: true, filters: { label: [`gantry.task=${taskId}`] } })).toEqual([]),
    );
  });

  it('starts nothing that it was given before a silence of about a lease, but what it is given after it', async () => {
    await startAgent();
    await endProcess(child as ChildProcess, 'SIGKILL');
    const file = join(world.dataFolder, 'worker', world.workerId, 'lease-renewal.json');
    const { at, boot } = JSON.parse(readFileSync(file, 'utf8')) as { at: number; boot: { id: string; at: number } };
    const silence = 58_000;
    writeFileSync(file, JSON.stringify({ at: at - silence, boot: { ...boot, at: boot.at - silence } }));
    const late = await world.assign({ command: sh('echo late') });
    await startAgent();
    await eventually(() => expect(world.reportsOf(late).map(({ type }) => type)).toEqual(['rejected']));
    const fresh = await world.assign({ command: sh('echo fresh') });
    expect(await world.exitOf(fresh)).toMatchObject({ outcome: 'exited', exitCode: 0 });
  });

  it('starts what it had taken on if it is back within its lease, and nothing of which the lease has ended', async () => {
    await startAgent();
    await endProcess(child as ChildProcess, 'SIGKILL');
    const folder = join(world.dataFolder, 'worker', world.workerId);
    const store = new AgentStore(folder, undefined, Date.now(), (error) => expect(error).toBeUndefined());
    const silence = 20_000;
    const renewal = store.leaseRenewal();
    if (renewal?.boot === undefined) throw new Error('no lease was renewed');
    store.saveLeaseRenewal({ at: renewal.at - silence, boot: { ...renewal.boot, at: renewal.boot.at - silence } });
    const takenOn = (leaseMs: number): string => {
      const { data: assignment } = world.assigned({ command: sh('echo started') }, { leaseMs });
      store.saveAttempt(attemptKey(assignment.taskId, 1), { version: 1, assignment, state: { status: 'accepted' } });
      return assignment.taskId;
    };
    const lapsed = takenOn(15_000);
    const held = takenOn(60_000);
    await startAgent();
    expect(await world.exitOf(held)).toMatchObject({ outcome: 'exited', exitCode: 0 });
    expect(await world.exitOf(lapsed)).toMatchObject({ outcome: 'infrastructure_error' });
    expect(world.reportsOf(lapsed).map(({ type }) => type)).not.toContain('started');
    expect((await world.storedLog(lapsed)).lines.filter(({ stream }) => stream === 'stdout')).toEqual([]);
  });

  it('leaves containers alone when it is stopped, and stops them when told to', async () => {
    const first = await startAgent();
    const taskId = await world.assign({ command: sh('trap "exit 0" TERM; while true; do sleep 0.1; done') });
    const { containerId } = await world.started(taskId);
    expect(await endProcess(first, 'SIGTERM')).toBe(0);
    expect((await docker.getContainer(containerId).inspect()).State.Running).toBe(true);
    const second = await startAgent({ GANTRY_WORKER_STOP_TASKS_ON_EXIT: 'true' });
    await eventually(() =>
      expect(world.heartbeats.at(-1)?.running).toEqual([{ taskId, attempt: 1, phase: 'running' }]),
    );
    expect(await endProcess(second, 'SIGTERM')).toBe(0);
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'infrastructure_error' });
    expect(world.heartbeats.at(-1)?.leaving).toBe(true);
  });

  it('goes through a restart of the broker without losing a line', async () => {
    await startAgent();
    const taskId = await world.assign({ command: numbered(1_500, '0.05') });
    await world.started(taskId);
    await eventually(async () => expect((await world.storedLog(taskId)).lines.length).toBeGreaterThan(200));
    await world.nats.restart();
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'exited', exitCode: 7 });
    await expectComplete(taskId, 1_500);
  });

  it('started again without a broker, it stops containers before their lease ends', async () => {
    const first = await startAgent();
    const taskId = await world.assign({ command: ['sleep', '600'] }, { leaseMs: 15_000 });
    const { containerId } = await world.started(taskId);
    process.kill(world.nats.pid, 'SIGSTOP');
    const cut = performance.now();
    try {
      await endProcess(first, 'SIGKILL');
      startAgent().catch(() => undefined);
      await eventually(
        async () => expect((await docker.getContainer(containerId).inspect()).State.Running).toBe(false),
        {
          timeoutMs: 15_000,
        },
      );
      expect(performance.now() - cut).toBeLessThan(15_000);
    } finally {
      process.kill(world.nats.pid, 'SIGCONT');
    }
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'infrastructure_error' });
  });

  it('a second agent on the same folder does not start', async () => {
    await startAgent();
    const first = child;
    await expect(startAgent({ LOG_LEVEL: 'silent' })).rejects.toThrow('code 1');
    child = first;
  });
});
