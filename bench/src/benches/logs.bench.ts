import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { GantryClient } from '@gantry/client/gantry-client';
import { logChunkSchema } from '@gantry/contracts/agents/log-chunk';
import type { RequestContext } from '@gantry/contracts/messaging/request';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { readLogs } from '@gantry/contracts/telemetry/telemetry-requests';
import { followStream } from '@gantry/jetstream/follow-stream';
import { RequestClient } from '@gantry/jetstream/request-client';
import { importBusyboxImage, startPrivateEngine } from '@gantry/testing/docker-engine.fixture';
import { freePort } from '@gantry/testing/free-port';
import { adminPassword } from '@gantry/testing/gantry-system.fixture';
import type { Bench, BenchContext, Figure, FreeTable } from '../harness/bench.port.js';
import { percentile, ratioOf, type Spread, spreadOf } from '../harness/spread.js';
import { BareEngine } from '../peers/bare-engine.js';
import { requireSandbox } from '../peers/bare-sandbox.js';
import { adminClient } from '../system/api-client.js';
import type { ChildProgram } from '../system/child-program.js';
import { meterOf } from '../system/cpu-clock.js';
import { ageOf, clockCommand, floodCommand, LogWitness } from '../system/log-witness.js';
import { ServiceSystem } from '../system/service-system.js';
import { until } from '../system/until.js';

const IMAGE = 'gantry/logs:latest';
const RESOURCES = { cpu: 1, memoryMb: 128, storageMb: 64 };
const PAGE = 10_000;
/** Each look is a statement for the engine that is measured. */
const ARCHIVE_POLL_MS = 250;
const context: RequestContext = {
  actor: { kind: 'user', id: 'bench', name: 'Bench', role: 'admin' },
  correlationId: 'bench',
};

interface World {
  readonly system: ServiceSystem;
  readonly client: GantryClient;
  readonly image: string;
  readonly agent: ChildProgram;
}

interface Flood {
  /** Lines a second from the first stored chunk to the last. */
  readonly agent: number;
  /** From the first stored chunk until ClickHouse had all, and until a subscriber had. */
  readonly archive: number;
  readonly subscriber: number;
  /** Microseconds of CPU for a line, by process. */
  readonly cpu: ReadonlyMap<string, number>;
}

async function submit({ client, image }: World, command: string[]): Promise<string> {
  const { task } = await client.submitTask({ name: 'bench', image, command, resources: RESOURCES });
  return task.id;
}

/** Ages of the lines when a subscriber of the API has them. */
async function agesAtSubscriber(world: World, lines: number): Promise<number[]> {
  const ages: number[] = [];
  for await (const batch of world.client.followLogs(await submit(world, clockCommand(lines)))) {
    for (const { text } of batch.lines) {
      const age = ageOf(text);
      if (age !== undefined) ages.push(age);
    }
  }
  if (ages.length !== lines) throw new Error(`${ages.length} lines of ${lines} came.`);
  return ages;
}

/** What the lines of a command are to one who reads its pipe. */
async function readPipe([program = '', ...args]: string[], take: (text: string) => void): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) take(line);
}

async function agesAtPipe(lines: number): Promise<number[]> {
  const ages: number[] = [];
  await readPipe(clockCommand(lines), (text) => {
    const age = ageOf(text);
    if (age !== undefined) ages.push(age);
  });
  return ages;
}

async function pipeRate(lines: number): Promise<number> {
  const witness = new LogWitness();
  const startedAt = performance.now();
  await readPipe(floodCommand(lines), (text) => witness.take(text));
  witness.expectWhole(lines, 'The pipe');
  return lines / ((performance.now() - startedAt) / 1_000);
}

/** When the first and the last chunk of a task were stored, epoch milliseconds. Looks at every line. */
async function storedIn({ system }: World, taskId: string, lines: number): Promise<{ first: number; last: number }> {
  const witness = new LogWitness();
  const reading = new AbortController();
  const stored = { first: 0, last: 0 };
  await followStream(system.nc, streams.logs.name, {
    fromSequence: 1,
    filter: subjects.logsOfTask(taskId),
    prefetch: 20,
    signal: reading.signal,
    onMessage: (message) => {
      const chunk = logChunkSchema.parse(message.json());
      if (stored.first === 0) stored.first = message.timestampMs;
      stored.last = message.timestampMs;
      for (const { text, stream } of chunk.lines) if (stream === 'stdout') witness.take(text);
      if (chunk.end) reading.abort();
    },
  });
  witness.expectWhole(lines, 'The stream');
  return stored;
}

/** Looks at every line that can be read from ClickHouse. */
async function expectArchived({ system }: World, taskId: string, lines: number): Promise<void> {
  const client = new RequestClient(system.nc);
  const witness = new LogWitness();
  for (let afterSeq = 0, lastSeq = 1; afterSeq < lastSeq;) {
    const page = await client.request(readLogs, { taskId, afterSeq, limit: PAGE }, context);
    for (const { text, stream } of page.lines) if (stream === 'stdout') witness.take(text);
    lastSeq = page.lastSeq;
    afterSeq = page.lines.at(-1)?.seq ?? lastSeq;
  }
  witness.expectWhole(lines, 'ClickHouse');
}

async function flood(world: World, lines: number): Promise<Flood> {
  const { system, client, agent } = world;
  const requests = new RequestClient(system.nc);
  const clock = system.cpuClock(new Map([['agent', meterOf(agent.pid)]]));
  const taskId = await submit(world, floodCommand(lines));
  const watching = (async (): Promise<number> => {
    const witness = new LogWitness();
    for await (const batch of client.followLogs(taskId))
      for (const { text, stream } of batch.lines) if (stream === 'stdout') witness.take(text);
    witness.expectWhole(lines, 'The subscriber');
    return Date.now();
  })();
  const archived = until(
    async () => (await requests.request(readLogs, { taskId, tail: true, limit: 1 }, context)).complete,
    240_000,
    ARCHIVE_POLL_MS,
  ).then(() => Date.now());
  const [subscriberAt, archivedAt] = await Promise.all([watching, archived]);
  const cpu = new Map([...clock.read()].map(([name, { all }]) => [name, (all * 1e6) / lines]));
  const { first, last } = await storedIn(world, taskId, lines);
  await expectArchived(world, taskId, lines);
  const rate = (end: number): number => lines / (Math.max(1, end - first) / 1_000);
  return { agent: rate(last), archive: rate(archivedAt), subscriber: rate(subscriberAt), cpu };
}

/** What reads the lines of a command with nothing else to do. */
interface Peer {
  readonly name: string;
  rate(lines: number): Promise<number>;
}

async function measure(world: World, runtime: string, peer: Peer, { quick, log }: BenchContext) {
  const [clockLines, lines, rounds] = quick ? [20, 20_000, 1] : [500, 500_000, 3];
  const ages = { ours: [] as number[], bare: [] as number[] };
  const p99: { ours: number[]; bare: number[] } = { ours: [], bare: [] };
  const floods: Flood[] = [];
  const bare: number[] = [];
  await agesAtSubscriber(world, 10);
  for (let round = 0; round < rounds; round += 1) {
    for (const [who, ask] of [
      ['ours', () => agesAtSubscriber(world, clockLines)],
      ['bare', () => agesAtPipe(clockLines)],
    ] as const) {
      const now = await ask();
      ages[who].push(...now);
      p99[who].push(percentile(now, 0.99));
    }
    const one = await flood(world, lines);
    floods.push(one);
    bare.push(await peer.rate(lines));
    log(
      `${runtime}: p99 ${p99.ours.at(-1)?.toFixed(1)} ms; agent ${one.agent.toFixed(0)}, archive ${one.archive.toFixed(0)}, subscriber ${one.subscriber.toFixed(0)} lines/s, ${peer.name} ${bare.at(-1)?.toFixed(0)}`,
    );
  }
  const beside = spreadOf(bare);
  const figure = (what: string, ours: Spread, goal?: string): Figure => ({
    ...{ what: `${runtime}: ${what}`, unit: 'lines/s', ours, ratio: ratioOf(ours, beside) },
    beside: { name: peer.name, value: beside },
    ...(goal === undefined ? {} : { goal }),
  });
  const [ours, pipe] = [spreadOf(p99.ours), spreadOf(p99.bare)];
  const figures: Figure[] = [
    {
      ...{ what: `${runtime}: written until a subscriber of the API has it, 50 lines/s, p99`, unit: 'ms', ours },
      ...{ beside: { name: 'the same command, its pipe', value: pipe }, ratio: ratioOf(ours, pipe), goal: '< 100' },
    },
    figure(
      'one task that writes as fast as it can, stored in the stream',
      spreadOf(floods.map(({ agent }) => agent)),
      '>= 100,000',
    ),
    figure('the same, readable from ClickHouse', spreadOf(floods.map(({ archive }) => archive))),
    figure('the same, had by a subscriber of the API', spreadOf(floods.map(({ subscriber }) => subscriber))),
  ];
  const latency = Object.values(ages).map((values, index) => [
    index === 0 ? runtime : `${runtime}: pipe`,
    values.length,
    ...[0.5, 0.95, 0.99, 1].map((q) => percentile(values, q)),
  ]);
  const names = [...(floods[0]?.cpu.keys() ?? [])];
  const cpu = names.map((name) => [
    `${runtime}: ${name}`,
    spreadOf(floods.map((one) => one.cpu.get(name) ?? 0)).median,
  ]);
  return { figures, latency, cpu, lines, rounds };
}

async function inWorld<T>(
  { profileFolder }: BenchContext,
  runtime: string,
  settings: NodeJS.ProcessEnv,
  work: (world: World) => Promise<T>,
): Promise<T> {
  const port = await freePort();
  // Of the services that are started here, only those that read them mind.
  process.env['GANTRY_API_PORT'] = String(port);
  process.env['GANTRY_ADMIN_PASSWORD'] = adminPassword;
  const folder = profileFolder === undefined ? undefined : `${profileFolder}/${runtime}`;
  const system = await ServiceSystem.start(['auth', 'tasks', 'scheduler', 'telemetry', 'gateway'], folder);
  let agent: ChildProgram | undefined;
  let client: GantryClient | undefined;
  try {
    agent = await system.startAgent(settings);
    client = await adminClient({ apiUrl: `http://127.0.0.1:${port}` });
    return await work({ system, client, image: IMAGE, agent });
  } finally {
    await client?.close();
    await agent?.stop();
    await system.stop();
  }
}

async function run(context: BenchContext): ReturnType<Bench['run']> {
  await requireSandbox();
  const results = [
    await inWorld(context, 'sandbox', { GANTRY_WORKER_RUNTIME: 'process' }, (world) =>
      measure(world, 'sandbox', { name: 'its pipe, read line by line', rate: pipeRate }, context),
    ),
  ];
  const engine = await startPrivateEngine();
  try {
    await importBusyboxImage(engine.socketPath, IMAGE, ['/bin/bash']);
    const settings = { GANTRY_WORKER_RUNTIME: 'docker', DOCKER_HOST: `unix://${engine.socketPath}` };
    const bare = new BareEngine(engine.socketPath, 'disabled');
    const peer: Peer = {
      name: "the bare engine's log, followed",
      rate: (lines) => bare.followLog(IMAGE, floodCommand(lines), RESOURCES),
    };
    results.push(await inWorld(context, 'container', settings, (world) => measure(world, 'container', peer, context)));
  } finally {
    await engine.stop();
  }
  const tables: FreeTable[] = [
    {
      title: 'Written until a subscriber has it, milliseconds',
      columns: ['way', 'lines', 'p50', 'p95', 'p99', 'longest'],
      rows: results.flatMap(({ latency }) => latency),
    },
    {
      title: 'CPU of one line of a flood, microseconds',
      columns: ['process', 'CPU'],
      rows: results.flatMap(({ cpu }) => cpu),
    },
  ];
  const [{ lines, rounds } = { lines: 0, rounds: 0 }] = results;
  return {
    figures: results.flatMap(({ figures }) => figures),
    tables,
    notes: [
      `${rounds} rounds of ${lines.toLocaleString('en-US')} numbered lines of 98 bytes from one task. Each line was found once, in its place and unchanged in the stream, in ClickHouse and at the subscriber; the bench fails otherwise.`,
      'All of it shares the two cores: the task that writes, agent, broker, telemetry, gateway and the subscriber. The latency is of a task that writes its clock (bash) every 20 ms while nothing else runs.',
    ],
  };
}

export const logsBench: Bench = {
  name: 'logs',
  title: 'Log lines: written until stored, archived and seen',
  limitSeconds: 420,
  run,
};
