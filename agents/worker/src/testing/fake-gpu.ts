import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { eventually } from '@gantry/testing/eventually';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { ProcessCgroup } from '../runtime/process/process-cgroup.js';

const PROBE = 'gantry-probe-gpu';

/** Stands for a device, and for the driver's tool in a folder of its own: the processes on the device are what a file says. */
export class FakeGpu {
  readonly id = 'GPU-a';
  private readonly folder = temporaryFolder('gantry-smi');
  private readonly processes = join(this.folder, 'processes');
  private readonly stuck = new Map<ChildProcess, string>();

  constructor() {
    const tool = join(this.folder, 'nvidia-smi');
    const device = `0, ${this.id}, 550.1, 50, 10, 81559, 60, 300.5, 1, 2, 0, H100`;
    writeFileSync(
      tool,
      `#!/bin/sh\ncase "$*" in *compute-apps*) cat ${this.processes};; *) while true; do echo "${device}"; sleep 0.2; done;; esac\n`,
    );
    chmodSync(tool, 0o755);
    this.free();
  }

  /** A search path on which the tool is found first. */
  path(rest = ''): string {
    return `${this.folder}${delimiter}${rest}`;
  }

  /**
   * Puts a process on the device that is of the attempt by its control group, and that no SIGKILL of the agent ends, as if it were
   * stuck in the driver. Answers its id.
   */
  async hold(taskId: string, attempt = 1): Promise<number> {
    const probe = await ProcessCgroup.create(PROBE, { memoryBytes: 2 ** 26, cpus: 1, processes: 10 });
    await probe?.remove();
    // Without control groups of their own nobody can tell whose process it is.
    if (probe === undefined) throw new Error('This test needs to make control groups: run it as root.');
    const [group = ''] = probe.folders;
    // Not of the agent's own prefix, because it ends what it finds there.
    const held = group.replace(PROBE, `gantry-stuck-${taskId}-${attempt}`);
    const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
    mkdirSync(held);
    this.stuck.set(child, held);
    writeFileSync(join(held, 'cgroup.procs'), String(child.pid));
    writeFileSync(this.processes, `${this.id}, ${child.pid}\n`);
    return child.pid ?? 0;
  }

  free(): void {
    writeFileSync(this.processes, '');
  }

  async remove(): Promise<void> {
    for (const [child, held] of this.stuck) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
      await eventually(() => rmdirSync(held));
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
