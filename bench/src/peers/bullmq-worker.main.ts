import { Worker } from 'bullmq';

/** The consumer's side in a process of its own, as the agents are; the job does nothing. */
const { port, queue, concurrency } = JSON.parse(process.env['GANTRY_BENCH_QUEUE'] ?? '') as {
  port: number;
  queue: string;
  concurrency: number;
};
let finished = 0;
const worker = new Worker(queue, () => Promise.resolve(), { connection: { host: '127.0.0.1', port }, concurrency });
worker.on('completed', () => {
  finished += 1;
});
process.on('message', () => process.send?.({ type: 'finished', finished }));
process.once('SIGTERM', () => void worker.close().finally(() => process.exit(0)));
process.once('disconnect', () => process.exit(0));
await worker.waitUntilReady();
process.send?.({ type: 'ready' });
