import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { KeeperOrders, ProcessIdentity } from '../keeper/keeper-orders.js';
import { identityOf, isAlive } from '../keeper/process-identity.js';

const RUN_FOLDER = '/run/gantry';

/** What an agent has told its keeper. */
export function ordersOf(workerId: string): KeeperOrders {
  return JSON.parse(readFileSync(join(folderOf(workerId), 'orders.json'), 'utf8')) as KeeperOrders;
}

/** Undefined if none runs. */
export function keeperOf(workerId: string): ProcessIdentity | undefined {
  try {
    const { pid, startTicks } = JSON.parse(
      readFileSync(join(folderOf(workerId), 'keeper.json'), 'utf8'),
    ) as ProcessIdentity;
    return isAlive({ pid, startTicks }) ? identityOf(pid) : undefined;
  } catch {
    return undefined;
  }
}

/** Of an agent that has ended: its keeper would wait for an hour for a start that no engine has confirmed. */
export function endKeeper(workerId: string): void {
  const keeper = keeperOf(workerId);
  if (keeper !== undefined) process.kill(keeper.pid, 'SIGKILL');
  rmSync(folderOf(workerId), { recursive: true, force: true });
}

function folderOf(workerId: string): string {
  const folders = existsSync(RUN_FOLDER) ? readdirSync(RUN_FOLDER) : [];
  return join(RUN_FOLDER, folders.find((name) => name.startsWith(`${workerId}-`)) ?? 'none');
}
