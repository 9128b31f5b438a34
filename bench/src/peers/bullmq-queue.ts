import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { freePort } from '@gantry/testing/free-port';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { Queue } from 'bullmq';
import { ChildProgram } from '../system/child-program.js';
import { CpuClock, type CpuUse, meterOf } from '../system/cpu-clock.js';
import { until } from '../system/until.js';
import { requirePeer } from './debian-package.js';

const QUEUE = 'bench';

/** BullMQ on a Redis of its own that writes its append-only file every second, which is more often than our broker syncs. */
export class BullMqQueue {
  private constructor(
    private readonly redis: ChildProcess,
    private readonly worker: ChildProgram,
    private readonly queue: Queue,
    private readonly folder: string,
    private readonly waiting: ((finished: number) => void)[],
  ) {}

  static async start(concurrency: number): Promise<BullMqQueue> {
    await requirePeer(['redis-server'], ['redis-server']);
    const folder = temporaryFolder('gantry-redis');
    const port = await freePort();
    const redis = spawn(
      'redis-server',
      [
        ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
        ...['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'],
      ],
      { stdio: 'ignore' },
    );
    process.once('exit', () => redis.kill('SIGKILL'));
    await until(() => answers(port), 10_000);
    const waiting: ((finished: number) => void)[] = [];
    const worker = await ChildProgram.start({
      name: 'bullmq-worker',
      main: fileURLToPath(new URL('bullmq-worker.main.js', import.meta.url)),
      cwd: folder,
      env: { GANTRY_BENCH_QUEUE: JSON.stringify({ port, queue: QUEUE, concurrency }) },
      onMessage: (message) => waiting.shift()?.((message as { finished: number }).finished),
    });
    const queue = new Queue(QUEUE, { connection: { host: '127.0.0.1', port } });
    await queue.waitUntilReady();
    return new BullMqQueue(redis, worker, queue, folder, waiting);
  }

  /** Adds `count` jobs one by one, `concurrency` at a time, and waits for the end of each. */
  async run(count: number, concurrency: number): Promise<{ seconds: number; cpu: Map<string, CpuUse> }> {
    const before = await this.finished();
    const cpu = new CpuClock(
      new Map([
        ['redis-server', meterOf(this.redis.pid ?? 0)],
        ['worker', meterOf(this.worker.pid)],
        ['driver', meterOf(process.pid)],
      ]),
    );
    const startedAt = performance.now();
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < count) {
        next += 1;
        await this.queue.add('no-op', { name: 'no-op', image: 'none', command: ['true'] });
      }
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
    await until(async () => (await this.finished()) >= before + count, 120_000);
    return { seconds: (performance.now() - startedAt) / 1_000, cpu: cpu.read() };
  }

  async stop(): Promise<void> {
    await this.worker.stop();
    await this.queue.close();
    this.redis.kill('SIGTERM');
    if (this.redis.exitCode === null) await once(this.redis, 'exit');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private finished(): Promise<number> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.worker.send({ type: 'count' });
    });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
