import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@gantry/testing/eventually';
import { beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { attemptKey } from './session/agent-store.js';
import { agentPath, compileAgent, endProcess, startAgentProcess } from './testing/agent-process.js';
import { FakeGpu } from './testing/fake-gpu.js';
import { WorkerWorld } from './testing/worker-world.js';

/** An agent with one GPU and a broker of its own. */
class Scene {
  private child: ChildProcess | undefined;

  private constructor(
    readonly world: WorkerWorld,
    readonly gpu: FakeGpu,
  ) {}

  static async create({ onTestFinished }: TestContext): Promise<Scene> {
    const scene = new Scene(await WorkerWorld.create(), new FakeGpu());
    onTestFinished(() => scene.end());
    await scene.start();
    return scene;
  }

  async start(): Promise<void> {
    await startAgentProcess(
      this.world.environment({ GANTRY_WORKER_RUNTIME: 'process', PATH: this.gpu.path(agentPath) }),
      (child) => {
        this.child = child;
      },
    );
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.child !== undefined) await endProcess(this.child, signal);
  }

  /** A task on the device that says `word` when it begins. */
  assign(word: string, then = 'true'): Promise<string> {
    const resources = { cpu: 0.1, memoryMb: 64, gpu: { count: 1 } };
    return this.world.assign({ command: ['sh', '-c', `echo ${word}; ${then}`], resources }, { gpuIds: [this.gpu.id] });
  }

  async linesOf(taskId: string): Promise<string[]> {
    return (await this.world.storedLog(taskId)).lines.map(({ text }) => text);
  }

  /** The agent is killed while a task runs of which a process stays on the device. */
  async killWhileHeld(): Promise<{ taskId: string; pid: number }> {
    const taskId = await this.assign('first', 'sleep 1000');
    await eventually(async () => expect(await this.linesOf(taskId)).toEqual(['first']));
    const pid = await this.gpu.hold(taskId);
    await this.kill();
    return { taskId, pid };
  }

  private async end(): Promise<void> {
    await this.kill();
    await this.world.stop();
    await this.gpu.remove();
  }
}

const waits = (pid: number): string =>
  `The container is not started yet; waiting until its GPUs are free (GPU-a is held by process ${pid} of an earlier attempt).`;

describe.concurrent('a GPU on which a process is left of an attempt whose agent was killed', () => {
  beforeAll(compileAgent);

  it('is given to the next task only when that process is off it', async (context) => {
    const scene = await Scene.create(context);
    const { world, gpu } = scene;
    const lost = await scene.killWhileHeld();
    await scene.start();
    await eventually(() =>
      expect(world.heartbeats.at(-1)?.running).toEqual([
        { taskId: lost.taskId, attempt: 1, phase: 'collecting', gpuIds: [gpu.id] },
      ]),
    );
    const next = await scene.assign('second');
    await eventually(async () => expect(await scene.linesOf(next)).toEqual([waits(lost.pid)]));
    // A sandbox takes a tenth of a second to start.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await scene.linesOf(next)).toEqual([waits(lost.pid)]);
    expect(world.reportsOf(next).map(({ type }) => type)).toEqual(['accepted']);
    expect(world.reportsOf(lost.taskId).map(({ type }) => type)).not.toContain('exited');
    gpu.free();
    expect(await world.exitOf(next)).toMatchObject({ outcome: 'exited', exitCode: 0 });
    expect(await scene.linesOf(next)).toEqual([waits(lost.pid), 'second']);
    expect(await world.exitOf(lost.taskId)).toMatchObject({ outcome: 'infrastructure_error' });
  });

  it('is not given to anybody for as long as it lasts, though the record of the attempt is gone', async (context) => {
    const scene = await Scene.create(context);
    const { world, gpu } = scene;
    const lost = await scene.killWhileHeld();
    rmSync(join(world.dataFolder, 'worker', world.workerId, 'attempts', attemptKey(lost.taskId, 1)), {
      recursive: true,
    });
    await scene.start();
    await eventually(() => expect(world.heartbeats.at(-1)).toMatchObject({ running: [], heldGpuIds: [gpu.id] }));
    const [late, cancelled] = [await scene.assign('late'), await scene.assign('cancelled')];
    await eventually(async () => expect(await scene.linesOf(cancelled)).toEqual([waits(lost.pid)]));
    await world.revoke(cancelled);
    expect(await world.exitOf(cancelled, 5_000)).toMatchObject({ outcome: 'cancelled' });
    expect(await scene.linesOf(cancelled)).not.toContain('cancelled');
    expect(await world.exitOf(late)).toMatchObject({
      outcome: 'infrastructure_error',
      message: expect.stringContaining(
        `did not become free within 30 s (${gpu.id} is held by process ${lost.pid} of an earlier attempt)`,
      ),
    });
    expect(await scene.linesOf(late)).not.toContain('late');
    expect(world.heartbeats.at(-1)?.heldGpuIds).toEqual([gpu.id]);
    gpu.free();
    await eventually(() => expect(world.heartbeats.at(-1)?.heldGpuIds).toEqual([]), { timeoutMs: 15_000 });
    const free = await scene.assign('free');
    expect(await world.exitOf(free)).toMatchObject({ outcome: 'exited', exitCode: 0 });
    expect(await scene.linesOf(free)).toEqual(['free']);
  });

  it('keeps no agent that is stopped from saying at once that it did not start a task', async (context) => {
    const scene = await Scene.create(context);
    const lost = await scene.killWhileHeld();
    await scene.start();
    const next = await scene.assign('second');
    await eventually(async () => expect(await scene.linesOf(next)).toEqual([waits(lost.pid)]));
    const stopped = scene.kill('SIGTERM');
    expect(await scene.world.exitOf(next, 3_000)).toMatchObject({
      outcome: 'infrastructure_error',
      message: 'The agent was shut down and stopped the container.',
    });
    expect(await scene.linesOf(next)).not.toContain('second');
    await stopped;
  });
});
