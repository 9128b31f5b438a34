import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  importBusyboxImage,
  startPrivateEngine,
  type DockerEngineFixture,
} from '@gantry/testing/docker-engine.fixture';
import { eventually } from '@gantry/testing/eventually';
import Docker from 'dockerode';
import { beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { ControlGroups } from './keeper/control-groups.js';
import { compileAgent, endProcess, startAgentProcess } from './testing/agent-process.js';
import { keeperOf, ordersOf } from './testing/lease-keepers.js';
import { removeLeftovers } from './testing/leftover-containers.js';
import { WorkerWorld } from './testing/worker-world.js';

const LEASE_MS = 15_000;
const ENDLESS = ['sh', '-c', 'trap "" TERM; echo on; while true; do sleep 0.2; done'];

/** One agent with a broker of its own. */
interface Place {
  readonly world: WorkerWorld;
  readonly start: () => Promise<ChildProcess>;
  agent: ChildProcess;
  readonly groups: string[];
}

/** Agents on an engine of their own, which one test freezes. */
class Scene {
  private readonly places: Place[] = [];

  private constructor(
    readonly engine: DockerEngineFixture,
    readonly docker: Docker,
  ) {}

  static async create({ onTestFinished }: TestContext): Promise<Scene> {
    const engine = await startPrivateEngine();
    const scene = new Scene(engine, new Docker({ socketPath: engine.socketPath }));
    onTestFinished(() => scene.end());
    await importBusyboxImage(engine.socketPath, 'gantry-test/busybox:latest');
    return scene;
  }

  async open(runtime: 'docker' | 'process'): Promise<Place> {
    const world = await WorkerWorld.create();
    const environment = world.environment({
      GANTRY_WORKER_RUNTIME: runtime,
      DOCKER_HOST: `unix://${this.engine.socketPath}`,
    });
    const start = (): Promise<ChildProcess> =>
      startAgentProcess(environment, (child) => {
        place.agent = child;
      });
    // Until `start` has one.
    const place: Place = { world, start, agent: spawn('true'), groups: [] };
    this.places.push(place);
    await start();
    return place;
  }

  private async end(): Promise<void> {
    for (const { world, agent, groups } of this.places) {
      await endProcess(agent, 'SIGKILL');
      await removeLeftovers(this.docker);
      for (const group of groups) await gone(group, 5_000);
      await world.stop();
    }
    await this.engine.stop();
  }
}

const runEndless = async (place: Place): Promise<{ taskId: string; containerId: string; group: string }> => {
  const taskId = await place.world.assign({ command: ENDLESS }, { leaseMs: LEASE_MS });
  const { containerId } = await place.world.started(taskId);
  const kept = ordersOf(place.world.workerId).attempts.find((attempt) => attempt.containerId === containerId);
  if (kept === undefined) throw new Error('The keeper was not told.');
  place.groups.push(kept.group);
  // A sandbox joins its group as the first thing that it does, which is a moment after its start.
  await eventually(() => expect(livingIn(kept.group)).toBeGreaterThan(0));
  return { taskId, containerId, group: kept.group };
};

const gone = (group: string, within: number): Promise<void> =>
  eventually(() => expect(livingIn(group)).toBe(0), { timeoutMs: within });

// Side by side: each test waits for leases to end, and the shortest lease is 15 s.
describe.concurrent('what an agent started, when the agent does nothing any more', () => {
  beforeAll(compileAgent);

  it('frozen: containers and sandboxes are dead before their lease ends, and it says so when it is back', async (context) => {
    const scene = await Scene.create(context);
    const both = [await scene.open('docker'), await scene.open('process')];
    const runs = await Promise.all(both.map(runEndless));
    for (const { agent } of both) agent.kill('SIGSTOP');
    const frozen = performance.now();
    await Promise.all(runs.map(({ group }) => gone(group, LEASE_MS)));
    expect(performance.now() - frozen).toBeLessThan(LEASE_MS);
    for (const { agent } of both) agent.kill('SIGCONT');
    for (const [index, { world }] of both.entries()) {
      expect(await world.exitOf(runs[index]?.taskId ?? '')).toMatchObject({
        outcome: 'infrastructure_error',
        message: expect.stringContaining('lease'),
      });
    }
    await eventually(async () => expect(await scene.docker.listContainers({ all: true })).toEqual([]));
  });

  it('killed: the same, though its engine is frozen, and the next start reports it', async (context) => {
    const scene = await Scene.create(context);
    const { engine, docker } = scene;
    const place = await scene.open('docker');
    const { taskId, group } = await runEndless(place);
    const engineProcess = Number(readFileSync(join(dirname(engine.socketPath), 'docker.pid'), 'utf8'));
    process.kill(engineProcess, 'SIGSTOP');
    try {
      await endProcess(place.agent, 'SIGKILL');
      const killed = performance.now();
      await gone(group, LEASE_MS);
      expect(performance.now() - killed).toBeLessThan(LEASE_MS);
    } finally {
      process.kill(engineProcess, 'SIGCONT');
    }
    await eventually(() => expect(keeperOf(place.world.workerId)).toBeUndefined());
    await place.start();
    expect(await place.world.exitOf(taskId)).toMatchObject({
      outcome: 'infrastructure_error',
      message: expect.stringContaining('lease keeper'),
    });
    await eventually(async () => expect(await docker.listContainers({ all: true })).toEqual([]));
  });

  it('killed and back within the lease: its keeper is found again, or replaced if it was killed, and ends nothing', async (context) => {
    const scene = await Scene.create(context);
    const [left, back] = [await scene.open('docker'), await scene.open('docker')];
    const lost = await runEndless(left);
    const kept = await runEndless(back);
    const first = keeperOf(back.world.workerId);
    // Right after a renewal, so that most of the lease is left to come back in.
    const beats = back.world.heartbeats.length;
    await eventually(() => expect(back.world.heartbeats.length).toBeGreaterThan(beats));
    await Promise.all([left, back].map(({ agent }) => endProcess(agent, 'SIGKILL')));
    await back.start();
    expect(keeperOf(back.world.workerId)).toEqual(first);
    process.kill(first?.pid ?? 0, 'SIGKILL');
    await eventually(() => {
      const second = keeperOf(back.world.workerId);
      expect(second).toBeDefined();
      expect(second).not.toEqual(first);
    });
    // Another agent's container shows that the lease has passed.
    await gone(lost.group, LEASE_MS);
    await eventually(() => expect(ordersOf(back.world.workerId).renewedAt).toBeGreaterThan(0));
    expect(livingIn(kept.group)).toBeGreaterThan(0);
    back.agent.kill('SIGSTOP');
    await gone(kept.group, LEASE_MS);
    back.agent.kill('SIGCONT');
    expect(await back.world.exitOf(kept.taskId)).toMatchObject({ outcome: 'infrastructure_error' });
  });
});

function livingIn(group: string): number {
  return (
    ControlGroups.ofThisMachine()
      .members(new Set([group]))
      .get(group)?.length ?? 0
  );
}
