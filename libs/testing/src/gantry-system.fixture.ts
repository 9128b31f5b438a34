import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectNats } from '@gantry/jetstream/connect';
import { freePort } from './free-port.js';
import { removeFolder, temporaryFolder } from './temporary-folder.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

export const adminPassword = 'a-long-test-password';
export const adminEmail = 'admin@gantry.local';

/** The real thing: `npm start` with ports and a data folder of its own. */
export class GantrySystem {
  private child: ChildProcess | undefined;
  output = '';

  private constructor(
    readonly data: string,
    readonly apiPort: number,
    readonly webPort: number,
    private readonly replicas: number,
  ) {}

  /** `replicas`: processes of each service (of telemetry one). */
  static async create({ replicas = 1 }: { replicas?: number } = {}): Promise<GantrySystem> {
    const data = temporaryFolder('gantry-system-');
    return new GantrySystem(data, await freePort(), await freePort(), replicas);
  }

  get apiUrl(): string {
    return `http://127.0.0.1:${this.apiPort}`;
  }

  /** Of every gateway, the first one first. */
  get apiUrls(): string[] {
    return Array.from({ length: this.replicas }, (_, index) => `http://127.0.0.1:${this.apiPort + index}`);
  }

  get webUrl(): string {
    return `http://localhost:${this.webPort}`;
  }

  /** Resolves once the system says that it is ready; gives the seconds it took. */
  async start(): Promise<number> {
    const startedAt = Date.now();
    this.output = '';
    const child = spawn(process.execPath, [path.join(root, 'scripts/start.mjs')], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        GANTRY_DATA: this.data,
        GANTRY_API_PORT: String(this.apiPort),
        GANTRY_WEB_PORT: String(this.webPort),
        GANTRY_REPLICAS: String(this.replicas),
        GANTRY_ADMIN_PASSWORD: adminPassword,
      },
    });
    this.child = child;
    await new Promise<void>((resolve, reject) => {
      const take = (chunk: Buffer) => {
        this.output += chunk.toString();
        if (this.output.includes('Gantry is ready')) resolve();
      };
      child.stdout.on('data', take);
      child.stderr.on('data', take);
      child.once('exit', (code) =>
        reject(new Error(`The system ended with code ${code} before it was ready:\n${this.output}`)),
      );
    });
    return (Date.now() - startedAt) / 1_000;
  }

  /** Restarts the services one after the other, as an update does; gives the seconds until the last one was ready. */
  async restartServices(): Promise<number> {
    const { child } = this;
    if (child === undefined) throw new Error('The system does not run.');
    const before = this.output.length;
    const startedAt = Date.now();
    const done = new Promise<void>((resolve, reject) => {
      const look = () => {
        const said = this.output.slice(before);
        if (said.includes('all services restarted')) resolve();
        else if (said.includes('stopped half-way')) reject(new Error(said));
        else return;
        child.stdout?.off('data', look);
      };
      child.stdout?.on('data', look);
      child.once('exit', () => reject(new Error(`The system ended:\n${this.output}`)));
    });
    child.kill('SIGUSR2');
    await done;
    return (Date.now() - startedAt) / 1_000;
  }

  /** Ctrl-C; gives the seconds until everything had ended. */
  async stop(): Promise<number> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null) return 0;
    const startedAt = Date.now();
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGINT');
    await ended;
    return (Date.now() - startedAt) / 1_000;
  }

  /** Process id of a running part (`tasks`, `worker`, ...), found by its program and this system's data folder. */
  pidOf(part: string): number {
    const program = part === 'worker' ? 'agents/worker/dist/main.js' : `services/${part}/dist/bundle/main.js`;
    for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const file = (name: string): string => {
        try {
          return fs.readFileSync(`/proc/${pid}/${name}`, 'utf8');
        } catch {
          return '';
        }
      };
      if (file('cmdline').includes(program) && file('environ').includes(this.data)) return Number(pid);
    }
    throw new Error(`${part} is not running.`);
  }

  /** Publishes as one of the broker's own users, and waits until the broker has it. */
  async publishAs(user: string, subject: string, body: string): Promise<void> {
    const config = fs.readFileSync(path.join(this.data, 'nats', 'nats.conf'), 'utf8');
    const { passwords } = JSON.parse(fs.readFileSync(path.join(this.data, 'credentials.json'), 'utf8')) as {
      passwords: Record<string, string>;
    };
    const address = /^listen: "([^"]+)"/m.exec(config)?.[1] ?? '';
    const nc = await connectNats({ url: `nats://${address}`, user, password: passwords[user], name: 'test' });
    try {
      nc.publish(subject, body);
      await nc.flush();
    } finally {
      await nc.close();
    }
  }

  /** What the parts logged; shown when a test fails for a reason the API does not tell. */
  log(): string {
    const file = path.join(this.data, 'log', 'gantry.log');
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  }

  remove(): void {
    removeFolder(this.data);
  }
}

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `gantry` as a person would, with a configuration of its own. */
export function gantryCommand(
  system: GantrySystem,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<CommandResult> {
  const child = spawn(process.execPath, [path.join(root, 'apps/cli/bin/gantry.mjs'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: system.data,
    env: {
      ...process.env,
      GANTRY_API_URL: system.apiUrl,
      GANTRY_CONFIG: path.join(system.data, 'cli.json'),
      NO_COLOR: '1',
      ...env,
    },
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      resolve({ code: code ?? -1, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    );
  });
}
