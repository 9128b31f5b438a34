import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';

/** A service as the supervisor starts it: the built program in a process of its own, which a test may kill or pause. */
export class ServiceProcess {
  output = '';
  readonly exited: Promise<number | null>;

  private constructor(private readonly child: ChildProcess) {
    this.exited = new Promise((resolve) => child.once('close', resolve));
    const take = (chunk: Buffer) => {
      this.output += chunk.toString();
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
  }

  /** `program`: the package's `dist/bundle/main.js`. Resolves when the process says that it is ready. */
  static async start(program: string, environment: NodeJS.ProcessEnv): Promise<ServiceProcess> {
    if (!existsSync(program)) throw new Error(`${program} is missing: build the package first.`);
    const child = fork(program, {
      env: { PATH: process.env['PATH'], ...environment },
      // The test runner resolves packages to their sources; the program runs what was built.
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const service = new ServiceProcess(child);
    const ready = new Promise<void>((resolve) => {
      child.on('message', (message) => (message as { type?: unknown }).type === 'ready' && resolve());
    });
    const ended = service.exited.then((code) => {
      throw new Error(`${program} ended with ${code} before it was ready:\n${service.output}`);
    });
    ended.catch(() => undefined);
    await Promise.race([ready, ended]);
    return service;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Gracefully; harmless when it has ended already. */
  async stop(): Promise<void> {
    this.child.kill('SIGCONT');
    this.child.kill('SIGTERM');
    await this.exited;
  }
}
