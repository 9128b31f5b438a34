import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { eventually } from '@gantry/testing/eventually';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProcessCgroup } from './runtime/process/process-cgroup.js';
import { compiledPrograms } from './testing/agent-process.js';
import { WorkerWorld } from './testing/worker-world.js';
import { WorkerAgent } from './worker-agent.js';

const DEVICE = 'GPU-a, 550.1';

/** Stands for the driver's tool: one device for ever; the processes on it are what a file says. */
function deviceTool(folder: string, processes: string): void {
  const tool = join(folder, 'nvidia-smi');
  const device = `0, ${DEVICE}, 50, 10, 81559, 60, 300.5, 1, 2, 0, H100`;
  writeFileSync(
    tool,
    `#!/bin/sh\ncase "$*" in *compute-apps*) cat ${processes};; *) while true; do echo "${device}"; sleep 0.2; done;; esac\n`,
  );
  chmodSync(tool, 0o755);
}

describe('end of a task that holds a GPU', () => {
  const folder = temporaryFolder('gantry-smi');
  const processes = join(folder, 'processes');
  const path = process.env['PATH'];
  let world: WorkerWorld;
  let agent: WorkerAgent;

  beforeAll(async () => {
    deviceTool(folder, processes);
    writeFileSync(processes, '');
    process.env['PATH'] = `${folder}${delimiter}${path ?? ''}`;
    world = await WorkerWorld.create();
    agent = await WorkerAgent.start(
      world.settings({ GANTRY_WORKER_RUNTIME: 'process' }),
      world.logger(),
      compiledPrograms(),
    );
  });

  afterAll(async () => {
    process.env['PATH'] = path;
    await agent?.stop();
    await world?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('confirms a cancel only when no process of the task is left on the device', async () => {
    const probe = await ProcessCgroup.create('gantry-probe-gpu', { memoryBytes: 2 ** 26, cpus: 1, processes: 10 });
    await probe?.remove();
    // Without control groups of their own nobody can tell whose process it is.
    if (probe === undefined) throw new Error('This test needs to make control groups: run it as root.');
    const taskId = await world.assign(
      { command: ['sh', '-c', 'echo hi; sleep 1000'], resources: { cpu: 1, memoryMb: 64, gpu: { count: 1 } } },
      { gpuIds: ['GPU-a'] },
    );
    await eventually(async () => expect((await world.storedLog(taskId)).lines.map(({ text }) => text)).toContain('hi'));
    const [group = ''] = probe.folders;
    // Stands for a process that is stuck in the driver: of the task by its control group, and SIGKILL does not end it.
    const held = group.replace('gantry-probe-gpu', `gantry-stuck-${taskId}-1`);
    const stuck = spawn('sleep', ['1000'], { stdio: 'ignore' });
    const gone = new Promise((resolve) => stuck.once('exit', resolve));
    mkdirSync(held);
    try {
      writeFileSync(join(held, 'cgroup.procs'), String(stuck.pid));
      writeFileSync(processes, `GPU-a, ${stuck.pid}\n`);
      await world.revoke(taskId, { graceMs: 300 });
      await eventually(async () =>
        expect((await world.storedLog(taskId)).lines.map(({ text }) => text).at(-1)).toContain(
          `waiting until its GPUs are free (held by process ${stuck.pid})`,
        ),
      );
      await eventually(() => expect(world.heartbeats.at(-1)?.running).toMatchObject([{ taskId, phase: 'collecting' }]));
      expect(world.reportsOf(taskId).map(({ type }) => type)).not.toContain('exited');
      writeFileSync(processes, '');
      expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'cancelled' });
    } finally {
      stuck.kill('SIGKILL');
      await gone;
      await eventually(() => rmdirSync(held));
    }
  });
});
