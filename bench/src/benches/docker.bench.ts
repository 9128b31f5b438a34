import { type GantryClient, isFinished, type Task } from '@gantry/client/gantry-client';
import { importBusyboxImage, startPrivateEngine } from '@gantry/testing/docker-engine.fixture';
import { GantrySystem } from '@gantry/testing/gantry-system.fixture';
import type { Bench, BenchContext, Figure } from '../harness/bench.port.js';
import { ratioOf, type Spread, spreadOf } from '../harness/spread.js';
import { BareEngine } from '../peers/bare-engine.js';
import { SwarmJobs } from '../peers/swarm-jobs.js';
import { adminClient } from '../system/api-client.js';

const IMAGE = 'gantry/demo:latest';
const COMMAND = ['echo', 'hi'];
/** What the agent's default is; the floor and the peer get the same. */
const CONCURRENCY = 3;
const ROUNDS = 6;
const RESOURCES = { cpu: 0.05, memoryMb: 16, storageMb: 16 };

interface Moments {
  readonly running: number;
  readonly finished: number;
}

async function oneTask(client: GantryClient): Promise<Moments> {
  const startedAt = performance.now();
  const { task } = await client.submitTask({ name: 'bench', image: IMAGE, command: COMMAND, resources: RESOURCES });
  let running = 0;
  for await (const update of client.followTask(task.id)) {
    if (running === 0 && (update.status === 'running' || isFinished(update))) running = performance.now() - startedAt;
  }
  return { running, finished: performance.now() - startedAt };
}

async function lastState(client: GantryClient, id: string): Promise<Task> {
  for await (const task of client.followTask(id)) if (isFinished(task)) return task;
  return client.task(id);
}

async function latencies(client: GantryClient, engine: BareEngine, rounds: number): Promise<Figure[]> {
  const ours: Moments[] = [];
  const bare: Moments[] = [];
  await oneTask(client);
  await engine.run(IMAGE, COMMAND, RESOURCES);
  for (let round = 0; round < rounds; round += 1) {
    ours.push(await oneTask(client));
    bare.push(await engine.run(IMAGE, COMMAND, RESOURCES));
  }
  const figure = (what: string, pick: (moments: Moments) => number): Figure => {
    const [mine, floor] = [spreadOf(ours.map(pick)), spreadOf(bare.map(pick))];
    return {
      what,
      unit: 'ms',
      ours: mine,
      beside: { name: 'bare engine API', value: floor },
      ratio: ratioOf(mine, floor),
    };
  };
  return [
    figure('submit to running, one task at a time, seen by a subscriber', ({ running }) => running),
    figure('submit to finished, one task at a time, seen by a subscriber', ({ finished }) => finished),
  ];
}

async function ourRate(client: GantryClient, count: number): Promise<number> {
  const startedAt = performance.now();
  const submitted = await Promise.all(
    Array.from({ length: count }, () =>
      client.submitTask({ name: 'short', image: IMAGE, command: COMMAND, resources: RESOURCES }),
    ),
  );
  const ended = await Promise.all(submitted.map(({ task }) => lastState(client, task.id)));
  const failed = ended.find(({ status }) => status !== 'succeeded');
  if (failed !== undefined) throw new Error(`A short task ended as ${failed.status}: ${JSON.stringify(failed)}`);
  return count / ((performance.now() - startedAt) / 1_000);
}

interface Rates {
  readonly ours: Spread;
  readonly bare: Spread;
  readonly sandboxless: Spread;
}

/** Rounds of all three one after the other, so that a slow minute of the machine meets each of them. */
async function rates(
  { quick, log }: BenchContext,
  client: GantryClient,
  engine: BareEngine,
  sandboxless: BareEngine,
): Promise<Rates> {
  const count = quick ? 6 : 40;
  const lanes = [
    (): Promise<number> => ourRate(client, count),
    ...[engine, sandboxless].map(
      (bare) => async (): Promise<number> =>
        count / (await bare.runMany(count, CONCURRENCY, IMAGE, COMMAND, RESOURCES)),
    ),
  ];
  const values = lanes.map((): number[] => []);
  for (let round = 0; round < (quick ? 1 : ROUNDS); round += 1) {
    for (const [index, lane] of lanes.entries()) values[index]?.push(await lane());
    const [ours, bare, without] = values.map((rounds) => rounds.at(-1)?.toFixed(2));
    log(`round ${round + 1}: ${ours} tasks/s, bare ${bare}, bare without sandbox ${without}`);
  }
  const [ours = [], bare = [], without = []] = values;
  return { ours: spreadOf(ours), bare: spreadOf(bare), sandboxless: spreadOf(without) };
}

async function swarmRate(socketPath: string, quick: boolean): Promise<Spread> {
  const count = quick ? 4 : 40;
  const swarm = new SwarmJobs(socketPath);
  await swarm.start();
  try {
    await swarm.run(2, CONCURRENCY, IMAGE, COMMAND);
    const values: number[] = [];
    for (let round = 0; round < (quick ? 1 : 2); round += 1)
      values.push(count / (await swarm.run(count, CONCURRENCY, IMAGE, COMMAND)));
    return spreadOf(values);
  } finally {
    await swarm.stop();
  }
}

async function run(context: BenchContext): ReturnType<Bench['run']> {
  // Without live-restore, because the same engine becomes a swarm afterwards.
  const docker = await startPrivateEngine({ liveRestore: false });
  process.env['DOCKER_HOST'] = `unix://${docker.socketPath}`;
  process.env['GANTRY_WORKER_START_CONCURRENCY'] = String(CONCURRENCY);
  const notes = [
    `Containers of \`echo hi\`, network none, ${CONCURRENCY} starting at a time, one engine for all of them; Gantry through its API, with log, files and every event stored.`,
    'The bare engine gets the same container (user, limits, capabilities, mounts, log driver); its output is read but not kept, and nobody looks at its files.',
    'Gantry tells the engine to keep no network sandbox for a container without a network (docs/adr/0017); so does the bare engine in the row that says so.',
  ];
  let swarm: Spread | undefined;
  const figures: Figure[] = [];
  try {
    await importBusyboxImage(docker.socketPath, IMAGE);
    const engine = new BareEngine(docker.socketPath, 'none');
    const sandboxless = new BareEngine(docker.socketPath, 'disabled');
    const system = await GantrySystem.create();
    try {
      await system.start();
      const client = await adminClient(system);
      figures.push(...(await latencies(client, engine, context.quick ? 1 : 10)));
      const { ours, bare, sandboxless: without } = await rates(context, client, engine, sandboxless);
      const what = 'short tasks, all queued at once';
      figures.push(
        {
          what,
          unit: 'tasks/s',
          ours,
          beside: { name: 'bare engine API', value: bare },
          ratio: ratioOf(ours, bare),
          goal: '>= 0.95 x',
        },
        {
          what,
          unit: 'tasks/s',
          ours,
          beside: { name: 'bare engine API, no network sandbox', value: without },
          ratio: ratioOf(ours, without),
        },
      );
      await client.close();
    } finally {
      await system.stop();
      system.remove();
    }
    try {
      swarm = await swarmRate(docker.socketPath, context.quick);
    } catch (error) {
      notes.push(`Docker Swarm could not be measured: ${(error as Error).message.split('\n')[0]}`);
    }
  } finally {
    await docker.stop();
  }
  const rate = figures.at(-1);
  if (swarm !== undefined && rate !== undefined) {
    figures.push({
      what: rate.what,
      unit: rate.unit,
      ours: rate.ours,
      beside: { name: 'Docker Swarm replicated job', value: swarm },
      ratio: ratioOf(rate.ours, swarm),
    });
    notes.push('A Swarm job cannot be without a network: its containers get the default bridge.');
  }
  return { figures, notes };
}

export const dockerBench: Bench = {
  name: 'docker',
  title: 'Docker tasks beside the bare engine and beside Docker Swarm',
  limitSeconds: 420,
  run,
};
