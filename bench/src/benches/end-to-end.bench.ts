import type { Bench, BenchContext } from '../harness/bench.port.js';
import { spreadOf } from '../harness/spread.js';
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
    const startedAt = performance.now();
    while (measured.length < rounds && performance.now() - startedAt < ROUNDS_SECONDS * 1_000) {
      const result = await endToEndRound(system, submitter, fleet, count);
      measured.push(result);
      log(`${Math.round(count / result.seconds)} tasks/s`);
    }
    const tapped = quick ? 20 : TAPPED_TASKS;
    const messages = await tappedRound(system, tapped, () => endToEndRound(system, submitter, fleet, tapped));
    return {
      figures: [
        {
          what: 'submit to finished, simulated runtime, broker requests',
          unit: 'tasks/s',
          ours: spreadOf(measured.map(({ seconds }) => count / seconds)),
          goal: '>= 1,000',
        },
        {
          what: 'the same until ClickHouse has every commit, view and log line',
          unit: 'tasks/s',
          ours: spreadOf(measured.map(({ archivedSeconds }) => count / archivedSeconds)),
        },
      ],
      tables: [cpuTable(measured, count), messages],
      notes: [
        `${measured.length} rounds of ${count.toLocaleString('en-US')} tasks. Messages by kind: a further round of ${tapped.toLocaleString('en-US')}.`,
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
  limitSeconds: 180,
  run,
};
