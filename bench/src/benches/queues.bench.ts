import { SimulatedFleet } from '../fleet/simulated-fleet.js';
import type { Bench, BenchContext, Figure } from '../harness/bench.port.js';
import { ratioOf, type Spread, spreadOf } from '../harness/spread.js';
import { BullMqQueue } from '../peers/bullmq-queue.js';
import { SlurmCluster } from '../peers/slurm-cluster.js';
import { ServiceSystem } from '../system/service-system.js';
import { Submitter } from '../system/submitter.js';
import { endToEndRound, warmUp } from '../system/end-to-end-round.js';
import { simulatedLoad } from './end-to-end.bench.js';
import { processRate } from './processes.bench.js';

const CONCURRENCY = 128;

async function rates(rounds: number, count: number, seconds: () => Promise<number>): Promise<Spread> {
  const values: number[] = [];
  for (let round = 0; round < rounds; round += 1) values.push(count / (await seconds()));
  return spreadOf(values);
}

async function simulatedRate({ quick }: BenchContext): Promise<Spread> {
  const system = await ServiceSystem.start(['tasks', 'scheduler', 'telemetry']);
  const fleet = await SimulatedFleet.start(system);
  try {
    const submitter = new Submitter(system.nc);
    const count = quick ? 40 : await warmUp(system, submitter, fleet, simulatedLoad);
    return await rates(
      quick ? 1 : 3,
      count,
      async () => (await endToEndRound(system, submitter, fleet, count)).seconds,
    );
  } finally {
    await fleet.stop();
    await system.stop();
  }
}

async function bullMqRate({ quick }: BenchContext): Promise<Spread> {
  const queue = await BullMqQueue.start(CONCURRENCY);
  try {
    const count = quick ? 40 : 5_000;
    await queue.run(quick ? 10 : 2_000, CONCURRENCY);
    return await rates(quick ? 1 : 3, count, async () => (await queue.run(count, CONCURRENCY)).seconds);
  } finally {
    await queue.stop();
  }
}

async function slurmRates({ quick }: BenchContext): Promise<{ jobs: Spread; array: Spread }> {
  const slurm = await SlurmCluster.start(64);
  try {
    const count = quick ? 4 : 200;
    await slurm.runJobs(2, 2);
    const rounds = quick ? 1 : 2;
    const jobs = await rates(rounds, count, () => slurm.runJobs(count, 8));
    const array = await rates(rounds, count, () => slurm.runArray(count));
    return { jobs, array };
  } finally {
    await slurm.stop();
  }
}

async function run(context: BenchContext): ReturnType<Bench['run']> {
  const figures: Figure[] = [];
  const notes = [
    'No-op work everywhere, submissions one by one, 128 at a time (Slurm: 8 of `sbatch`). "Nothing started": our simulated workers and BullMQ. "A process each": our agent starts a sandbox of `true` for each task (bubblewrap in control groups, without network), Slurm a shell of `true` without any confinement.',
    'BullMQ keeps a job and its result in Redis (append-only file, synced every second) and nothing of what happened in between; ours stores each step as an event and indexes it in ClickHouse.',
  ];
  const beside = async (what: string, ours: Spread, name: string, measure: () => Promise<Spread>): Promise<void> => {
    try {
      const value = await measure();
      context.log(`${name} ${value.median.toFixed(0)} a second`);
      figures.push({ what, unit: 'tasks/s', ours, beside: { name, value }, ratio: ratioOf(ours, value) });
    } catch (error) {
      notes.push(`${name} could not be measured: ${(error as Error).message.split('\n')[0]}`);
    }
  };
  const simulated = await simulatedRate(context);
  context.log(`ours, nothing started: ${simulated.median.toFixed(0)} tasks/s`);
  await beside('no-op tasks, nothing started', simulated, 'BullMQ on Redis', () => bullMqRate(context));
  const processes = await processRate(context);
  context.log(`ours, a process each: ${processes.median.toFixed(0)} tasks/s`);
  let slurm: Promise<{ jobs: Spread; array: Spread }> | undefined;
  const once = () => (slurm ??= slurmRates(context));
  const what = 'no-op tasks, a process each';
  await beside(what, processes, 'Slurm, an sbatch each', async () => (await once()).jobs);
  await beside(what, processes, 'Slurm, one array', async () => (await once()).array);
  return { figures, notes };
}

export const queuesBench: Bench = {
  name: 'queues',
  title: 'Beside other queues on this machine',
  limitSeconds: 240,
  run,
};
