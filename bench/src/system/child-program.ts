import { type ChildProcess, spawn } from 'node:child_process';

/** As `npm start` runs the services (scripts/parts/services.mjs). */
const nodeFlags = ['--enable-source-maps', '--max-semi-space-size=32'];
const STOP_GRACE_MS = 12_000;
const running = new Set<ChildProcess>();
let registered = false;

export interface ChildProgramOptions {
  readonly name: string;
  /** The compiled program. */
  readonly main: string;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly profileFolder?: string | undefined;
  readonly onMessage?: (message: unknown) => void;
}

/** A Node program of its own, ready when it says so on its IPC channel, ended with this process at the latest. */
export class ChildProgram {
  private output = '';

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
  ) {}

  get pid(): number {
    return this.child.pid ?? 0;
  }

  static async start({ name, main, env, cwd, profileFolder, onMessage }: ChildProgramOptions): Promise<ChildProgram> {
    const profile = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}/${name}`];
    const child = spawn(process.execPath, [...profile, ...nodeFlags, main], {
      cwd,
      env: { ...process.env, NODE_ENV: 'production', LOG_LEVEL: 'warn', ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    running.add(child);
    if (!registered) {
      registered = true;
      // Before the folders of the running programs are removed by the hooks of others.
      process.prependListener('exit', () => {
        for (const other of running) other.kill('SIGKILL');
      });
    }
    const program = new ChildProgram(name, child);
    const keep = (chunk: Buffer): void => {
      program.output = `${program.output}${chunk.toString()}`.slice(-8_000);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    await new Promise<void>((resolve, reject) => {
      child.on('message', (message) => {
        if ((message as { type?: unknown }).type === 'ready') resolve();
        else onMessage?.(message);
      });
      child.once('exit', (code) => {
        running.delete(child);
        reject(new Error(`${name} ended with code ${code}:\n${program.output}`));
      });
    });
    return program;
  }

  /** What it wrote last: for the report of a failure. */
  get lastOutput(): string {
    return this.output;
  }

  send(message: object): void {
    this.child.send(message);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM', graceMs = STOP_GRACE_MS): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      const kill = setTimeout(() => this.child.kill('SIGKILL'), graceMs);
      this.child.once('exit', () => {
        clearTimeout(kill);
        resolve();
      });
      this.child.kill(signal);
    });
  }
}
