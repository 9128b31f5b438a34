import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type NatsServerFixture, startNatsServer } from '@gantry/testing/nats-server.fixture';
import { residentMebibytesOf } from '../system/cpu-clock.js';

/** Says that it runs, and then waits to be ended. */
const EMPTY_PROGRAM = 'process.send("ready"); setInterval(() => undefined, 1e6)';

/** A broker without streams, then as many empty Node programs as Gantry has, all at the same moment. */
export class BareParts {
  private constructor(
    private readonly broker: NatsServerFixture,
    private readonly programs: readonly ChildProcess[],
    /** Until the last one said that it runs. */
    readonly startSeconds: number,
  ) {}

  static async start(programs: number): Promise<BareParts> {
    const startedAt = performance.now();
    const broker = await startNatsServer();
    const children = Array.from({ length: programs }, () =>
      spawn(process.execPath, ['-e', EMPTY_PROGRAM], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
    );
    await Promise.all(children.map((child) => once(child, 'message')));
    return new BareParts(broker, children, (performance.now() - startedAt) / 1_000);
  }

  get mebibytes(): number {
    return [this.broker.pid, ...this.programs.map(({ pid = 0 }) => pid)]
      .map(residentMebibytesOf)
      .reduce((sum, part) => sum + part, 0);
  }

  /** Answers the seconds until all had ended. */
  async stop(): Promise<number> {
    const startedAt = performance.now();
    const ended = this.programs.map((child) => once(child, 'exit'));
    for (const child of this.programs) child.kill('SIGTERM');
    await Promise.all(ended);
    await this.broker.stop();
    return (performance.now() - startedAt) / 1_000;
  }
}
