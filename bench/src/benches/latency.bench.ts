import { streams } from '@gantry/contracts/messaging/streams';
import { followStream } from '@gantry/jetstream/follow-stream';
import { publishBytes } from '@gantry/jetstream/publisher';
import { ensureStream } from '@gantry/jetstream/stream-admin';
import { startNatsServer } from '@gantry/testing/nats-server.fixture';
import { connectNats } from '@gantry/jetstream/connect';
import { SimulatedFleet } from '../fleet/simulated-fleet.js';
import type { Bench, BenchContext, FreeTable } from '../harness/bench.port.js';
import { percentile, ratioOf, type Spread, spreadOf } from '../harness/spread.js';
import { atRate } from '../system/at-rate.js';
import { meterOf } from '../system/cpu-clock.js';
import { warmUp } from '../system/end-to-end-round.js';
import { ServiceSystem } from '../system/service-system.js';
import { Submitter } from '../system/submitter.js';
import { until } from '../system/until.js';
import { simulatedLoad } from './end-to-end.bench.js';

const RATES = [100, 500, 1_000];
const QUANTILES = [0.5, 0.95, 0.99, 1];

interface Latencies {
  readonly rate: number;
  /** One array of milliseconds per round. */
  readonly rounds: readonly (readonly number[])[];
}

interface OurLatencies extends Latencies {
  /** CPU microseconds a task, by process. */
  readonly cpu: ReadonlyMap<string, number>;
}

interface Load {
  readonly rate: number;
  readonly seconds: number;
  readonly rounds: number;
  /** Of the same load before the first round. */
  readonly warmUpSeconds: number;
}

const p95Of = ({ rounds }: Latencies): Spread => spreadOf(rounds.map((round) => percentile(round, 0.95)));

/** A message of the same size through one stream to one reader: what the broker and the client cost by themselves. */
async function floor(rate: number, seconds: number, rounds: number): Promise<Latencies> {
  const nats = await startNatsServer();
  const nc = await connectNats({ url: nats.url, name: 'bench' });
  const stop = new AbortController();
  const measured: number[][] = [];
  try {
    await ensureStream(nc, streams.assign);
    let latencies: number[] = [];
    void followStream(nc, streams.assign.name, {
      fromSequence: 1,
      onMessage: (message) => void latencies.push(performance.now() - (message.json() as { at: number }).at),
      signal: stop.signal,
    }).catch(() => undefined);
    const padding = 'x'.repeat(700);
    const send = async (): Promise<void> => {
      await publishBytes(nc, 'assign.floor', Buffer.from(JSON.stringify({ at: performance.now(), padding })));
    };
    await atRate(rate, 1, send);
    for (let round = 0; round < rounds; round += 1) {
      latencies = [];
      await atRate(rate, seconds, send);
      await until(() => Promise.resolve(latencies.length >= rate * seconds), 30_000);
      measured.push(latencies);
    }
  } finally {
    stop.abort();
    await nc.close();
    await nats.stop();
  }
  return { rate, rounds: measured };
}

async function ours(
  system: ServiceSystem,
  fleet: SimulatedFleet,
  { rate, seconds, rounds, warmUpSeconds }: Load,
): Promise<OurLatencies> {
  const submitter = new Submitter(system.nc);
  const measured: number[][] = [];
  const cpuSeconds = new Map<string, number>();
  await atRate(rate, warmUpSeconds, () => submitter.submitTimed());
  for (let round = 0; round < rounds; round += 1) {
    await until(async () => (await submitter.active()) === 0, 60_000);
    const { received } = await fleet.tally();
    const clock = system.cpuClock(new Map([...fleet.meters, ['driver', meterOf(process.pid)]]));
    await atRate(rate, seconds, () => submitter.submitTimed());
    const latencies: number[] = [];
    await until(async () => {
      const tally = await fleet.tally();
      latencies.push(...tally.latencies);
      return tally.received - received >= rate * seconds;
    }, 60_000);
    measured.push(latencies);
    for (const [name, { all }] of clock.read()) cpuSeconds.set(name, (cpuSeconds.get(name) ?? 0) + all);
  }
  const tasks = rate * seconds * rounds;
  const cpu = new Map([...cpuSeconds].map(([name, used]) => [name, (used * 1e6) / tasks]));
  return { rate, rounds: measured, cpu };
}

function row(name: string, { rate, rounds }: Latencies): (string | number)[] {
  const all = rounds.flat();
  return [name, rate, all.length, ...QUANTILES.map((q) => Number(percentile(all, q).toPrecision(3)))];
}

function cpuAtRates(results: readonly OurLatencies[]): FreeTable {
  const names = [...(results[0]?.cpu.keys() ?? [])];
  const all = (cpu: ReadonlyMap<string, number>): number => [...cpu.values()].reduce((sum, used) => sum + used, 0);
  return {
    title: 'CPU of one task, microseconds',
    columns: ['process', ...results.map(({ rate }) => `${rate}/s`)],
    rows: [
      ...names.map((name) => [name, ...results.map(({ cpu }) => Math.round(cpu.get(name) ?? 0))]),
      ['all', ...results.map(({ cpu }) => Math.round(all(cpu)))],
      ['cores in use', ...results.map(({ rate, cpu }) => Number(((all(cpu) * rate) / 1e6).toFixed(2)))],
    ],
  };
}

async function run({ quick, profileFolder, log }: BenchContext): ReturnType<Bench['run']> {
  const [seconds, rounds] = quick ? [1, 1] : [4, 5];
  const rates = quick ? [20] : RATES;
  const system = await ServiceSystem.start(['tasks', 'scheduler', 'telemetry'], profileFolder);
  const fleet = await SimulatedFleet.start(system);
  const results: { mine: OurLatencies; bare: Latencies }[] = [];
  const notes: string[] = [];
  let fresh: Latencies | undefined;
  try {
    if (!quick) {
      fresh = await ours(system, fleet, { rate: 500, seconds, rounds: 1, warmUpSeconds: 0 });
      await warmUp(system, new Submitter(system.nc), fleet, simulatedLoad);
    }
    for (const rate of rates) {
      try {
        const mine = await ours(system, fleet, { rate, seconds, rounds, warmUpSeconds: 1 });
        const bare = await floor(rate, seconds, rounds);
        results.push({ mine, bare });
        log(`${rate}/s: p95 ${p95Of(mine).median.toFixed(1)} ms, bare stream ${p95Of(bare).median.toFixed(1)} ms`);
      } catch (error) {
        // More than this machine can take in says nothing against the gentler rates.
        if (results.length === 0) throw error;
        notes.push(`${rate} a second could not be kept up: ${(error as Error).message.split('\n')[0]}`);
        break;
      }
    }
  } finally {
    await fleet.stop();
    await system.stop();
  }
  return {
    figures: results.map(({ mine, bare }) => ({
      what: `submit until the agent has it, p95 at ${mine.rate}/s`,
      unit: 'ms',
      ours: p95Of(mine),
      beside: { name: 'one message through one stream', value: p95Of(bare) },
      ratio: ratioOf(p95Of(mine), p95Of(bare)),
      ...(mine.rate === 500 ? { goal: '< 25' } : {}),
    })),
    tables: [
      {
        title: 'Latency, milliseconds',
        columns: ['way', 'per second', 'samples', 'p50', 'p95', 'p99', 'longest'],
        rows: [
          ...(fresh === undefined ? [] : [row('submit to agent, programs just started', fresh)]),
          ...results.flatMap(({ mine, bare }) => [row('submit to agent', mine), row('bare stream', bare)]),
        ],
      },
      cpuAtRates(results.map(({ mine }) => mine)),
    ],
    notes: [
      ...notes,
      `${rounds} rounds of ${seconds} s at each rate${quick ? '' : `, after a warm-up of ${simulatedLoad.tasks.toLocaleString('en-US')} tasks; the first row is that of programs whose code is not compiled yet`}.`,
      'From the sending of the request to the agent holding the stored assignment, over stored submission, placement and stored assignment. The simulated agents share one reader of ASSIGN; a real one hears of it at once and then reads the stored message, one request more.',
    ],
  };
}

export const latencyBench: Bench = {
  name: 'latency',
  title: 'Submit to agent at a steady rate',
  limitSeconds: 240,
  run,
};
