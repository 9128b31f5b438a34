import type { ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  importBusyboxImage,
  type PrivateEngineFixture,
  startPrivateEngine,
} from '@gantry/testing/docker-engine.fixture';
import { eventually } from '@gantry/testing/eventually';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identityOf } from './keeper/process-identity.js';
import { AgentStore, attemptKey } from './session/agent-store.js';
import { compileAgent, endProcess, startAgentProcess } from './testing/agent-process.js';
import { WorkerWorld } from './testing/worker-world.js';

const sh = (script: string): string[] => ['sh', '-c', script];

function isRunning(pid: number): boolean {
  return identityOf(pid) !== undefined;
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

const UNTIL_RELEASED = 'while [ ! -e /output/go ]; do sleep 0.1; done';

/** Through the mount namespace of one of its processes: the engine may be away. */
function release(pid: number): void {
  writeFileSync(`/proc/${pid}/root/output/go`, '');
}

describe('an engine that is killed while containers run', () => {
  let engine: PrivateEngineFixture;
  let docker: Docker;
  let world: WorkerWorld;
  let agent: ChildProcess;

  const startAgent = async (): Promise<void> => {
    agent = await startAgentProcess(
      world.environment({ GANTRY_WORKER_RUNTIME: 'docker', DOCKER_HOST: `unix://${engine.socketPath}` }),
      () => undefined,
    );
  };

  /** As a machine that went down: neither containerd nor the engine will find anybody who saw the end. */
  const endUnseen = async (pid: number): Promise<void> => {
    const shim = parentOf(pid);
    process.kill(shim, 'SIGKILL');
    process.kill(pid, 'SIGKILL');
    await eventually(() => {
      for (const each of [shim, pid]) expect(() => process.kill(each, 0)).toThrow();
    });
  };

  const pidOf = async (taskId: string): Promise<number> => {
    const { containerId } = await world.started(taskId);
    return (await docker.getContainer(containerId).inspect()).State.Pid;
  };

  /** An engine that was killed right after the start of a container finds what it had written before. */
  const asIfNeverStarted = (containerId: string): void => {
    const file = join(dirname(engine.socketPath), 'data', 'containers', containerId, 'config.v2.json');
    const config = JSON.parse(readFileSync(file, 'utf8')) as { State: object };
    const never = { Running: false, Pid: 0, StartedAt: '0001-01-01T00:00:00Z' };
    writeFileSync(file, JSON.stringify({ ...config, State: { ...config.State, ...never } }));
  };

  /** And so does an agent that was killed before it heard of the start. */
  const asIfNeverAnswered = (taskId: string, containerId: string): void => {
    const folder = join(world.dataFolder, 'worker', world.workerId);
    const store = new AgentStore(folder, undefined, Date.now(), (error) => expect(error).toBeUndefined());
    const key = attemptKey(taskId, 1);
    const found = store.attempts().find((attempt) => attempt.key === key);
    if (found === undefined) throw new Error('The agent has not written the attempt down.');
    store.saveAttempt(key, { ...found.record, state: { status: 'creating', containerId } });
  };

  beforeAll(async () => {
    compileAgent();
    engine = await startPrivateEngine();
    await importBusyboxImage(engine.socketPath, 'gantry-test/busybox:latest');
    docker = new Docker({ socketPath: engine.socketPath });
    world = await WorkerWorld.create();
    await startAgent();
  });

  afterAll(async () => {
    if (agent !== undefined) await endProcess(agent, 'SIGKILL');
    await world?.stop();
    await engine?.stop();
  });

  it('an end that nobody saw is a failure of the machine; every other end is told as it was', async () => {
    const [unseen, away, later, same] = await Promise.all([
      world.assign({ command: ['sleep', '600'] }),
      world.assign({ command: sh(`${UNTIL_RELEASED}; exit 7`) }),
      world.assign({ command: sh(`${UNTIL_RELEASED}; exit 255`) }),
      world.assign({ command: sh('exit 255') }),
    ]);
    expect(await world.exitOf(same)).toMatchObject({ outcome: 'exited', exitCode: 255 });
    const pids = { unseen: await pidOf(unseen), away: await pidOf(away), later: await pidOf(later) };
    await engine.kill();
    await endUnseen(pids.unseen);
    release(pids.away);
    await eventually(() => expect(() => process.kill(pids.away, 0)).toThrow(), { timeoutMs: 20_000 });
    await engine.start();

    const lost = await world.exitOf(unseen);
    expect(lost).toMatchObject({ outcome: 'infrastructure_error', message: expect.stringContaining('engine') });
    expect(lost.exitCode).toBeUndefined();
    expect(await world.exitOf(away)).toMatchObject({ outcome: 'exited', exitCode: 7 });
    release(pids.later);
    expect(await world.exitOf(later)).toMatchObject({ outcome: 'exited', exitCode: 255 });
  });

  it('the same, if the agent was away as well', async () => {
    const [unseen, away] = await Promise.all([
      world.assign({ command: ['sleep', '600'] }),
      world.assign({ command: sh(`${UNTIL_RELEASED}; exit 0`) }),
    ]);
    const pids = { unseen: await pidOf(unseen), away: await pidOf(away) };
    await endProcess(agent, 'SIGKILL');
    await engine.kill();
    await endUnseen(pids.unseen);
    release(pids.away);
    await eventually(() => expect(() => process.kill(pids.away, 0)).toThrow(), { timeoutMs: 20_000 });
    await engine.start();
    await startAgent();
    expect(await world.exitOf(unseen)).toMatchObject({ outcome: 'infrastructure_error' });
    expect(await world.exitOf(away)).toMatchObject({ outcome: 'exited', exitCode: 0 });
  });

  it('what an engine has forgotten that it started is ended and counts as lost; it is not started again', async () => {
    const taskId = await world.assign({ command: ['sleep', '600'] });
    const { containerId } = await world.started(taskId);
    const pid = await pidOf(taskId);
    const shim = parentOf(pid);
    await endProcess(agent, 'SIGKILL');
    await engine.kill();
    asIfNeverStarted(containerId);
    asIfNeverAnswered(taskId, containerId);
    await engine.start();
    expect((await docker.getContainer(containerId).inspect()).State).toMatchObject({ Status: 'created' });
    expect(isRunning(pid)).toBe(true);
    await startAgent();
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'infrastructure_error' });
    expect(isRunning(pid)).toBe(false);
    expect(world.reportsOf(taskId).map(({ type }) => type)).toEqual(['accepted', 'started', 'exited']);
    await eventually(async () => expect(await docker.listContainers({ all: true })).toEqual([]));
    // Nobody knows of it any more.
    process.kill(shim, 'SIGKILL');
  });
});
