import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** Clock ticks a second in /proc: fixed at 100 for user space on Linux. */
const TICKS = 100;

/** As `npm start` starts them. */
const NODE_ARGUMENTS = ['--max-semi-space-size=64'];

/** A service as its own process, as in production: the built program, told apart only by its environment. */
export class ServiceProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly spawnedAt: number,
    /** Milliseconds from the spawn until it said that it serves. */
    readonly readyMs: number,
  ) {}

  static async start(name: string, natsUrl: string, nodeArguments: readonly string[] = []): Promise<ServiceProcess> {
    const spawnedAt = performance.now();
    const child = spawn(process.execPath, [...NODE_ARGUMENTS, ...nodeArguments, `services/${name}/dist/main.js`], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NATS_URL: natsUrl, LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'warn' },
    });
    await new Promise<void>((resolve, reject) => {
      child.on('message', (message) => {
        if (typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready') resolve();
      });
      child.once('exit', (code) => reject(new Error(`${name} ended with code ${code} before it was ready.`)));
    });
    return new ServiceProcess(child, spawnedAt, performance.now() - spawnedAt);
  }

  /** Milliseconds since the spawn. */
  get age(): number {
    return performance.now() - this.spawnedAt;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  cpuMs(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS;
  }

  memoryMb(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1]) / 1_024;
  }

  /** Milliseconds until it had ended by itself (SIGTERM). */
  async stop(): Promise<number> {
    const began = performance.now();
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await ended;
    return performance.now() - began;
  }
}
