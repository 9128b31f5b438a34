import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { pause } from '@gantry/jetstream/pause';
import { GantryError } from '@gantry/kernel/gantry-error';

/** A host name as a worker id: lower case, `[a-z0-9-]`, at most 63 characters. */
export function workerIdOf(hostname: string): string {
  const id = hostname
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
    .replace(/-+$/, '');
  return id === '' ? 'worker' : id;
}

/** The id of this machine: as configured, else the one of the first start, so that a renamed host stays the same worker. */
export function stableWorkerId(folder: string, configured: string | undefined, hostname: string): string {
  if (configured !== undefined) return configured;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'worker-id');
  try {
    const kept = readFileSync(path, 'utf8').trim();
    if (kept !== '') return kept;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const id = workerIdOf(hostname);
  writeFileSync(path, `${id}\n`, { mode: 0o600 });
  return id;
}

/** A process that a killed agent was just starting holds its socket until it has become the other program. */
const LET_GO_MS = 2_000;
const ASK_AGAIN_MS = 100;

/**
 * Makes sure that one agent at a time has the data folder: two would both run every assignment. An abstract socket is let go by
 * the kernel however the process ends.
 */
export async function holdAlone(folder: string): Promise<Server> {
  // Hashed, because the name of a socket has at most 107 bytes.
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 32);
  for (let waited = 0; ; waited += ASK_AGAIN_MS) {
    try {
      return await listenOn(`\0gantry-worker-${name}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      if (waited >= LET_GO_MS)
        throw new GantryError(
          'WORKER.ALREADY_RUNNING',
          'conflict',
          `Another agent uses ${folder}. Stop it, or set GANTRY_WORKER_ID or GANTRY_DATA.`,
        );
    }
    await pause(ASK_AGAIN_MS);
  }
}

function listenOn(name: string): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(name, () => {
      server.unref();
      resolve(server);
    });
  });
}
