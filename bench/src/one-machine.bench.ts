import fs from 'node:fs';
import path from 'node:path';
import { GantryClient, isFinished, type Task } from '@gantry/client/gantry-client';
import { adminEmail, adminPassword, GantrySystem } from '@gantry/testing/gantry-system.fixture';
import { BareEngine } from './bare-engine.js';
import { median, percentile, spread } from './statistics.js';

/**
 * One machine, real parts: how long a start takes, what Gantry adds to one container, and how many short tasks a second it
 * runs, each beside the bare engine's API doing the same work on the same engine in the same run.
 */
const IMAGE = 'gantry/demo:latest';
const COMMAND = ['echo', 'hi'];
const ROUNDS = 15;
const SHORT_TASKS = 200;
const RESOURCES = { cpu: 0.05, memoryMb: 16, storageMb: 16 };

async function main(): Promise<void> {
  const system = await GantrySystem.create();
  const figures: Record<string, unknown> = {};
  try {
    figures['first start, s'] = await system.start();
    figures['stop, s'] = await system.stop();
    figures['second start, s'] = await system.start();
    const client = await adminClient(system);
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    figures['memory at rest, MiB'] = memoryOfParts(system);
    const engine = new BareEngine(engineSocket(system));
    Object.assign(figures, await latencies(client, engine));
    Object.assign(figures, await throughput(client, engine));
    await client.close();
  } finally {
    await system.stop();
    system.remove();
  }
  console.log(JSON.stringify(figures, null, 2));
}

async function adminClient(system: GantrySystem): Promise<GantryClient> {
  const { accessToken } = await new GantryClient({ apiUrl: system.apiUrl }).logIn(adminEmail, adminPassword);
  const { key } = await new GantryClient({ apiUrl: system.apiUrl, credentials: () => accessToken }).createApiKey(
    'bench',
  );
  return new GantryClient({ apiUrl: system.apiUrl, credentials: () => key });
}

/** The engine that the system uses: its own private one, or the machine's. */
function engineSocket(system: GantrySystem): string {
  const listed = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  for (const pid of listed) {
    const line = commandLine(pid);
    if (line[0]?.endsWith('dockerd') === true && line.join(' ').includes(system.data)) {
      const host = line[line.indexOf('--host') + 1];
      if (host !== undefined) return host.replace('unix://', '');
    }
  }
  return process.env['DOCKER_HOST']?.replace('unix://', '') ?? '/var/run/docker.sock';
}

function commandLine(pid: string): string[] {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function environmentOf(pid: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}

/** Resident memory of every process whose environment or arguments name the data folder. */
function memoryOfParts(system: GantrySystem): Record<string, number> {
  const found: Record<string, number> = {};
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const line = commandLine(pid);
    if (!environmentOf(pid).includes(system.data) && !line.join(' ').includes(system.data)) continue;
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
    const kibibytes = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
    const main = line.find(
      (part) => part.endsWith('main.js') || part.endsWith('server.js') || part.endsWith('start.mjs'),
    );
    const name = main === undefined ? path.basename(line[0] ?? pid) : path.relative(process.cwd(), main);
    found[name] = Math.round((found[name] ?? 0) + kibibytes / 1024);
  }
  return found;
}

interface Moments {
  running: number;
  finished: number;
}

async function gantryTask(client: GantryClient): Promise<Moments> {
  const startedAt = performance.now();
  const { task } = await client.submitTask({ name: 'bench', image: IMAGE, command: COMMAND, resources: RESOURCES });
  let running = 0;
  for await (const update of client.followTask(task.id)) {
    if (running === 0 && (update.status === 'running' || isFinished(update))) running = performance.now() - startedAt;
  }
  return { running, finished: performance.now() - startedAt };
}

async function latencies(client: GantryClient, engine: BareEngine): Promise<Record<string, unknown>> {
  const ours: Moments[] = [];
  const bare: Moments[] = [];
  await gantryTask(client);
  await engine.run(IMAGE, COMMAND, RESOURCES);
  for (let round = 0; round < ROUNDS; round += 1) {
    ours.push(await gantryTask(client));
    bare.push(await engine.run(IMAGE, COMMAND, RESOURCES));
  }
  const row = (pick: (moments: Moments) => number) => ({
    gantry: spread(ours.map(pick)),
    bare: spread(bare.map(pick)),
    ratio: Number((median(ours.map(pick)) / median(bare.map(pick))).toFixed(2)),
  });
  return {
    'submit to running, ms': row(({ running }) => running),
    'submit to finished, ms': row(({ finished }) => finished),
  };
}

async function throughput(client: GantryClient, engine: BareEngine): Promise<Record<string, unknown>> {
  const concurrency = Number(process.env['GANTRY_WORKER_START_CONCURRENCY'] ?? 3);
  const bareSeconds = await engine.runMany(SHORT_TASKS, concurrency, IMAGE, COMMAND, RESOURCES);
  const startedAt = performance.now();
  const submitted = await Promise.all(
    Array.from({ length: SHORT_TASKS }, () =>
      client.submitTask({ name: 'short', image: IMAGE, command: COMMAND, resources: RESOURCES }),
    ),
  );
  const submitSeconds = (performance.now() - startedAt) / 1_000;
  const ended = await Promise.all(submitted.map(({ task }) => lastState(client, task.id)));
  const seconds = (performance.now() - startedAt) / 1_000;
  if (ended.some(({ status }) => status !== 'succeeded')) throw new Error('A short task did not succeed.');
  const waits = ended.map((task) => (task.startedAt ?? 0) - task.createdAt);
  return {
    'short tasks': {
      count: SHORT_TASKS,
      concurrency,
      'gantry, tasks/s': Number((SHORT_TASKS / seconds).toFixed(2)),
      'bare engine, tasks/s': Number((SHORT_TASKS / bareSeconds).toFixed(2)),
      ratio: Number((bareSeconds / seconds).toFixed(2)),
      'all submitted after, s': Number(submitSeconds.toFixed(2)),
      'queue wait p95, ms': Math.round(percentile(waits, 0.95)),
    },
  };
}

async function lastState(client: GantryClient, id: string): Promise<Task> {
  for await (const task of client.followTask(id)) if (isFinished(task)) return task;
  return client.task(id);
}

await main();
