import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GantryError } from '@gantry/kernel/gantry-error';
import { z } from 'zod';

/** Broker user of backup and restore; the supervisor gives it a password of its own. */
export const OPERATOR = 'operator';

const credentialsSchema = z.object({ passwords: z.record(z.string(), z.string()) });

/** True while `npm start` runs on the data folder. */
export function isRunning(data: string): boolean {
  const file = join(data, 'supervisor.pid');
  if (!existsSync(file)) return false;
  const pid = Number(readFileSync(file, 'utf8'));
  try {
    return pid > 0 && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('start.mjs');
  } catch {
    return pid > 0 && isAlive(pid);
  }
}

/** Address and log-in of the embedded broker of a running system. */
export function localBroker(data: string): { url: string; user: string; password: string } {
  try {
    const config = readFileSync(join(data, 'nats', 'nats.conf'), 'utf8');
    const address = /^listen: "([^"]+)"/m.exec(config)?.[1];
    const { passwords } = credentialsSchema.parse(JSON.parse(readFileSync(join(data, 'credentials.json'), 'utf8')));
    const password = passwords[OPERATOR];
    if (address === undefined || password === undefined) throw new Error('no operator');
    return { url: `nats://${address}`, user: OPERATOR, password };
  } catch (cause) {
    throw new GantryError(
      'BACKUP.NO_SYSTEM',
      'not_found',
      `${data} is not the data folder of a started Gantry. Name it with --data, or set NATS_URL, NATS_USER and NATS_PASSWORD of your broker.`,
      { cause },
    );
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
