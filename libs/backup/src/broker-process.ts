import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GantryError } from '@gantry/kernel/gantry-error';

export interface BrokerProcess {
  url: string;
  /** Resolves when everything is on disk. */
  stop(): Promise<void>;
}

/** A broker on a stopped system's store, on loopback and for a moment: nobody else knows its port. */
export async function startBroker(storeFolder: string): Promise<BrokerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-restore-'));
  mkdirSync(storeFolder, { recursive: true });
  const config = join(folder, 'nats.conf');
  const lines = [
    'listen: "127.0.0.1:-1"',
    `ports_file_dir: ${JSON.stringify(folder)}`,
    'max_payload: 1MB',
    `jetstream { store_dir: ${JSON.stringify(storeFolder)} }`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const child = spawn('nats-server', ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => {
    output = `${output}${chunk.toString()}`.slice(-4_000);
  });
  let ended: Error | undefined;
  child.once('error', (error) => {
    ended = error;
  });
  child.once('exit', (code) => {
    ended ??= new Error(`nats-server ended with code ${code}`);
  });
  // It says that it is ready before it has written where.
  const portsFile = join(folder, `nats-server_${child.pid}.ports`);
  let ports: { nats: string[] } | undefined;
  for (let waited = 0; ports === undefined; waited += 20) {
    if (ended !== undefined || waited > 120_000) {
      child.kill('SIGKILL');
      throw new GantryError(
        'BACKUP.NO_BROKER',
        'unavailable',
        'nats-server could not be started on the store. Install nats-server, and look whether the folder can be written.',
        { cause: ended ?? new Error(output) },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (output.includes('Server is ready')) ports = readPorts(portsFile);
  }
  return {
    url: ports.nats[0] ?? '',
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const exit = once(child, 'exit');
        child.kill('SIGTERM');
        await exit;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Undefined while it is not there or not complete. */
function readPorts(file: string): { nats: string[] } | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as { nats: string[] };
  } catch {
    return undefined;
  }
}
