import type { Bench, BenchContext, Figure } from '../harness/bench.port.js';
import { ratioOf, type Spread, spreadOf } from '../harness/spread.js';
import { BareSandbox, requireSandbox } from '../peers/bare-sandbox.js';
import { CpuClock, meterOfEndedChildren } from '../system/cpu-clock.js';
import { cpuTable, type EndToEndRound, endToEndRound, warmUp } from '../system/end-to-end-round.js';
import { RealAgent } from '../system/real-agent.js';
import { ServiceSystem } from '../system/service-system.js';
import { processTask, Submitter } from '../system/submitter.js';

/** Tasks that the agent holds, and sandboxes that the bare loop starts at a time. */
const CONCURRENCY = 16;
/** No new round begins after this, so that a busy machine measures less and not nothing. */
const ROUNDS_SECONDS = 60;
const LOAD = { tasks: 300, most: 1_000 } as const;

interface BareRound {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

async function bareRound(sandbox: BareSandbox, count: number): Promise<BareRound> {
  const cpu = new CpuClock(new Map([['sandboxes', meterOfEndedChildren(process.pid)]]));
  const seconds = await sandbox.runMany(count, CONCURRENCY);
  return { seconds, cpuSeconds: cpu.read().get('sandboxes')?.all ?? 0 };
}

/** `after` each of our rounds comes what stands beside it, so that a slow minute of the machine meets both. */
async function ourRounds(
  { quick, profileFolder }: BenchContext,
  wanted: number,
  after: (round: EndToEndRound, count: number) => Promise<void>,
): Promise<{ count: number; rounds: readonly EndToEndRound[] }> {
  const system = await ServiceSystem.start(['tasks', 'scheduler', 'telemetry'], profileFolder);
  let agent: RealAgent | undefined;
  try {
    agent = await RealAgent.start(system, CONCURRENCY);
    const submitter = new Submitter(system.nc, processTask);
    const count = quick ? 20 : await warmUp(system, submitter, agent, LOAD);
    const rounds: EndToEndRound[] = [];
    const startedAt = performance.now();
    while (rounds.length < wanted && performance.now() - startedAt < ROUNDS_SECONDS * 1_000) {
      const round = await endToEndRound(system, submitter, agent, count);
      rounds.push(round);
      await after(round, count);
    }
    return { count, rounds };
  } finally {
    await agent?.stop();
    await system.stop();
  }
}

/** No-op tasks a second, each a process, for the bench of queues. */
export async function processRate(context: BenchContext): Promise<Spread> {
  await requireSandbox();
  const { count, rounds } = await ourRounds(context, context.quick ? 1 : 2, () => Promise.resolve());
  return spreadOf(rounds.map(({ seconds }) => count / seconds));
}

async function run(context: BenchContext): ReturnType<Bench['run']> {
  const sandbox = await BareSandbox.prepare();
  const bare: BareRound[] = [];
  const wanted = context.quick ? 1 : context.profileFolder === undefined ? 4 : 2;
  const { count, rounds } = await ourRounds(context, wanted, async ({ seconds }, size) => {
    const floor = await bareRound(sandbox, size);
    bare.push(floor);
    context.log(`${(size / seconds).toFixed(0)} tasks/s, bare ${(size / floor.seconds).toFixed(0)}`);
  }).finally(() => sandbox.remove());
  const mine = spreadOf(rounds.map(({ seconds }) => count / seconds));
  const floor = spreadOf(bare.map(({ seconds }) => count / seconds));
  const figure: Figure = {
    what: 'submit to finished, process runtime of a real agent, broker requests',
    unit: 'tasks/s',
    ours: mine,
    beside: { name: 'the same sandboxes, started by a loop', value: floor },
    ratio: ratioOf(mine, floor),
  };
  const bareCpu = (bare.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) * 1e6) / (count * bare.length);
  return {
    figures: [figure],
    tables: [cpuTable(rounds, count)],
    notes: [
      `${rounds.length} rounds of ${count} tasks, each a bubblewrap sandbox of \`true\` without network, ${CONCURRENCY} at a time; ours in control groups, with log, files and every event stored. "sandboxes" is what the started processes use themselves.`,
      `A sandbox of the bare loop, which has no control group, uses ${Math.round(bareCpu).toLocaleString('en-US')} microseconds of CPU.`,
    ],
  };
}

export const processesBench: Bench = {
  name: 'processes',
  title: 'Tasks a second, submit to finished, every event stored (real processes)',
  limitSeconds: 180,
  run,
};
