import type { Bench, BenchContext, Figure } from '../harness/bench.port.js';
import { ratioOf, spreadOf } from '../harness/spread.js';
import { BareFlow, flowNote } from '../peers/bare-flow.js';
import { SimulatedFleet } from '../fleet/simulated-fleet.js';
import { cpuTable, type EndToEndRound, endToEndRound, warmUp } from '../system/end-to-end-round.js';
import { tappedRound } from '../system/message-tap.js';
import { ServiceSystem } from '../system/service-system.js';
import { Submitter } from '../system/submitter.js';

/** Tasks of the warm-up, and of the largest round. */
export const simulatedLoad = { tasks: 3_000, most: 5_000 } as const;
/** Whose messages are counted by kind. */
const TAPPED_TASKS = 1_000;
/** No new round begins after this. */
const ROUNDS_SECONDS = 60;

async function run({ quick, profileFolder, log }: BenchContext): ReturnType<Bench['run']> {
  // A profile of two rounds says as much as one of five, and the profiler slows everything down.
  const rounds = quick ? 1 : profileFolder === undefined ? 5 : 2;
  const system = await ServiceSystem.start(['tasks', 'scheduler', 'telemetry'], profileFolder);
  const fleet = await SimulatedFleet.start(system);
  try {
    const submitter = new Submitter(system.nc);
    const count = quick ? 60 : await warmUp(system, submitter, fleet, simulatedLoad);
    if (quick) await endToEndRound(system, submitter, fleet, 20);
    const measured: EndToEndRound[] = [];
    const floors: number[] = [];
    const tapped = quick ? 20 : TAPPED_TASKS;
    const { table, flow } = await tappedRound(system, tapped, () => endToEndRound(system, submitter, fleet, tapped));
    const bare = await BareFlow.start(flow);
    try {
      await bare.rate(quick ? 20 : simulatedLoad.tasks);
      const startedAt = performance.now();
      while (measured.length < rounds && performance.now() - startedAt < ROUNDS_SECONDS * 1_000) {
        const result = await endToEndRound(system, submitter, fleet, count);
        measured.push(result);
        // After each round of ours, so that a slow minute of the machine meets both.
        floors.push(await bare.rate(count));
        log(`${Math.round(count / result.seconds)} tasks/s, bare broker ${Math.round(floors.at(-1) ?? 0)}`);
      }
    } finally {
      await bare.stop();
    }
    const figure = (what: string, secondsOf: (round: EndToEndRound) => number, goal?: string): Figure => {
      const [ours, value] = [spreadOf(measured.map((round) => count / secondsOf(round))), spreadOf(floors)];
      const beside = { name: 'the bare broker, the same messages', value };
      return {
        what,
        unit: 'tasks/s',
        ours,
        beside,
        ratio: ratioOf(ours, value),
        ...(goal === undefined ? {} : { goal }),
      };
    };
    return {
      figures: [
        figure('submit to finished, simulated runtime, broker requests', ({ seconds }) => seconds, '>= 1,000'),
        figure(
          'the same until ClickHouse has every commit, view and log line',
          ({ archivedSeconds }) => archivedSeconds,
        ),
      ],
      tables: [cpuTable(measured, count), table],
      notes: [
        `${measured.length} rounds of ${count.toLocaleString('en-US')} tasks. Messages by kind: a round of ${tapped.toLocaleString('en-US')} before them.`,
        flowNote(flow),
        'The broker has as many messages to receive as its clients send, and the other way round. "CPU of a message": all CPU of the process, divided by the messages that it sends and receives; several stored commits can come in one round of its work.',
      ],
    };
  } finally {
    await fleet.stop();
    await system.stop();
  }
}

export const endToEndBench: Bench = {
  name: 'end-to-end',
  title: 'Tasks a second, submit to finished, every event stored (simulated workers)',
  limitSeconds: 240,
  run,
};
