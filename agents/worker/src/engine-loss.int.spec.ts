import type { ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import {
  importBusyboxImage,
  type PrivateEngineFixture,
  startPrivateEngine,
} from '@gantry/testing/docker-engine.fixture';
import { eventually } from '@gantry/testing/eventually';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileAgent, endProcess, startAgentProcess } from './testing/agent-process.js';
import { WorkerWorld } from './testing/worker-world.js';

const sh = (script: string): string[] => ['sh', '-c', script];

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
});
