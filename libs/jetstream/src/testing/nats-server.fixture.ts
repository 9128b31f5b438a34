import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { temporaryFolder } from './temporary-folder.js';

export interface NatsServerOptions {
  /** Lines added to the configuration, e.g. an `authorization` block. */
  config?: string;
  /** Lines added to its `jetstream` block, e.g. `max_file_store: 1MB`. */
  limits?: string;
  storeDir?: string;
  port?: number;
}

export interface NatsServerFixture {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly storeDir: string;
  /** Ends the server with `signal` (default SIGKILL) and starts it again on the same port and store. */
  restart(signal?: NodeJS.Signals): Promise<void>;
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();
let registered = false;

/** A real `nats-server` with JetStream on 127.0.0.1, its own port and store, ended with the test process at the latest. */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServerFixture> {
  const port = options.port ?? (await freePort());
  const folder = temporaryFolder('gantry-nats');
  const storeDir = options.storeDir ?? join(folder, 'store');
  const configPath = join(folder, 'nats.conf');
  writeFileSync(
    configPath,
    [
      `listen: "127.0.0.1:${port}"`,
      `jetstream { store_dir: ${JSON.stringify(storeDir)}, ${options.limits ?? ''} }`,
      options.config ?? '',
      '',
    ].join('\n'),
  );
  let child = await launch(configPath, port);

  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    storeDir,
    get pid() {
      return child.pid ?? 0;
    },
    async restart(signal = 'SIGKILL') {
      await end(child, signal);
      child = await launch(configPath, port);
    },
    async stop() {
      await end(child, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function launch(configPath: string, port: number): Promise<ChildProcess> {
  const child = spawn('nats-server', ['-c', configPath], { stdio: ['ignore', 'ignore', 'pipe'] });
  running.add(child);
  if (!registered) {
    registered = true;
    process.once('exit', () => {
      for (const server of running) server.kill('SIGKILL');
    });
  }
  let output = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    output = `${output}${chunk.toString()}`.slice(-4_000);
  });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (error) =>
      reject(new Error(`nats-server did not start: ${error.message}. Install it to run these tests.`)),
    );
    child.once('exit', (code) => {
      running.delete(child);
      reject(new Error(`nats-server ended with code ${code}:\n${output}`));
    });
  });
  failed.catch(() => undefined);
  await Promise.race([failed, answering(port, () => output.includes('Server is ready'))]);
  return child;
}

/** "Server is ready" comes after JetStream has read its store; a listening port alone comes earlier. */
async function answering(port: number, isReady: () => boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    if (isReady() && (await accepts(port))) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('nats-server did not become ready within 30 s');
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}
