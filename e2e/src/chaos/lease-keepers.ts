import fs from 'node:fs';
import path from 'node:path';

/** Where the product's lease keepers keep what their agents tell them, one folder per agent. */
const RUN_FOLDER = '/run/gantry';
const PROGRAM = 'lease-keeper.main.js';

/** The process that keeps the leases of an agent, asked from the kernel; undefined = none at this moment. */
export function keeperPid(workerId: string): number | undefined {
  for (const name of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const words = fs.readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      const isKeeper = words.some((word) => path.basename(word) === PROGRAM);
      if (isKeeper && words.some((word) => word.startsWith(path.join(RUN_FOLDER, `${workerId}-`)))) return Number(name);
    } catch {
      // It ended while it was looked at.
    }
  }
  return undefined;
}

/** After the run: what a keeper still waits for is gone with the engine. */
export function endKeepers(workerIds: readonly string[]): void {
  for (const workerId of workerIds) {
    const pid = keeperPid(workerId);
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
    if (!fs.existsSync(RUN_FOLDER)) continue;
    for (const name of fs.readdirSync(RUN_FOLDER))
      if (name.startsWith(`${workerId}-`)) fs.rmSync(path.join(RUN_FOLDER, name), { recursive: true, force: true });
  }
}
