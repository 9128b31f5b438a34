import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Docker Swarm's own jobs on one engine: a service of mode `replicated-job`. */
export class SwarmJobs {
  private next = 0;

  constructor(private readonly socketPath: string) {}

  /** Makes the engine a swarm of one. */
  async start(): Promise<void> {
    await this.docker(['swarm', 'init', '--advertise-addr', '127.0.0.1', '--listen-addr', '127.0.0.1:0']);
  }

  /** Seconds for `count` containers of one job, `concurrency` at a time. */
  async run(count: number, concurrency: number, image: string, command: readonly string[]): Promise<number> {
    this.next += 1;
    const name = `bench-${this.next}`;
    const limits = [
      '--limit-cpu',
      '0.05',
      '--limit-memory',
      '16m',
      '--restart-condition',
      'none',
      '--no-resolve-image',
    ];
    const startedAt = performance.now();
    await this.docker([
      ...['service', 'create', '--quiet', '--detach=false', '--name', name, '--mode', 'replicated-job'],
      ...['--replicas', String(count), '--max-concurrent', String(concurrency), ...limits, image, ...command],
    ]);
    const seconds = (performance.now() - startedAt) / 1_000;
    await this.docker(['service', 'rm', name]);
    return seconds;
  }

  async stop(): Promise<void> {
    await this.docker(['swarm', 'leave', '--force']);
  }

  private async docker(args: readonly string[]): Promise<string> {
    const { stdout } = await execute('docker', ['--host', `unix://${this.socketPath}`, ...args], { timeout: 120_000 });
    return stdout;
  }
}
