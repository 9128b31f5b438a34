import { subjects, streams } from '@gantry/contracts/messaging/streams';
import { TASK_SCHEMA_VERSION, type TaskEvent } from '@gantry/contracts/tasks/task-events';
import { taskSpecSchema } from '@gantry/contracts/tasks/task-spec';
import { publishJson } from '@gantry/jetstream/publisher';
import { uuidV7Ids } from '@gantry/kernel/ids';
import type { SimulatedFleet } from '../fleet/simulated-fleet.js';
import { withRange } from '../harness/figure-table.js';
import { percentile, type Spread, spreadOf } from '../harness/spread.js';
import { atRate } from '../system/at-rate.js';
import { cpuSecondsOf } from '../system/cpu-clock.js';
import type { ServiceSystem } from '../system/service-system.js';
import { simulatedTask, type Submitter } from '../system/submitter.js';
import { until } from '../system/until.js';

export const SERVICES = ['tasks', 'scheduler'] as const;
const WRITERS = 512;
export const CORES_OF_NO_WORKER = 50_000;
/** Longer than the bench measures. */
const BACK_OFF_MS = 30 * 60_000;

/** Waits in the queue of the simulated workers for ever: it wants more cores than any of them has. */
const waitingSpec = taskSpecSchema.parse({
  ...simulatedTask,
  name: 'waits',
  resources: { ...simulatedTask.resources, cpu: CORES_OF_NO_WORKER },
});

function submitted(submittedAt: number): TaskEvent {
  return { type: 'TaskSubmitted', data: { ownerId: 'bench', ownerName: 'Bench', spec: waitingSpec, submittedAt } };
}

/** Has failed once and waits until it may be tried again. */
function inBackOff(at: number): TaskEvent[] {
  const worker = { workerId: 'gone', workerName: 'gone' };
  const failure = { class: 'user_exit', message: 'failed once' } as const;
  const notBefore = at + BACK_OFF_MS;
  return [
    submitted(at),
    { type: 'TaskAssigned', data: { attempt: 1, ...worker, leaseMs: 60_000, gpuIds: [], assignedAt: at } },
    {
      type: 'TaskRequeued',
      data: { endedAttempt: 1, nextAttempt: 2, failure, exitCode: 1, notBefore, at, usedRetry: true },
    },
  ];
}

export type Waiting = 'for room' | 'in back-off';

/** Writes tasks straight into TASKS, as another replica of the tasks service would; both services take them in. */
export async function addWaiting(
  system: ServiceSystem,
  submitter: Submitter,
  count: number,
  waiting: Waiting = 'for room',
): Promise<void> {
  const before = (await submitter.counts()).queued;
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      const id = uuidV7Ids.next();
      const now = Date.now();
      await publishJson(
        system.nc,
        subjects.task(id),
        {
          id: `submit:${id}`,
          stream: streams.tasks.name,
          aggregateId: id,
          version: 1,
          schemaVersion: TASK_SCHEMA_VERSION,
          occurredAt: now,
          actor: { kind: 'user', id: 'bench', name: 'Bench', role: 'admin' },
          correlationId: 'bench',
          causationId: 'bench',
          events: waiting === 'for room' ? [submitted(now)] : inBackOff(now),
        },
        { msgId: `submit:${id}` },
      );
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, lane));
  await until(async () => (await submitter.counts()).queued >= before + count, 120_000, 100);
}

/** Each median and range of a few rounds. */
export interface Sample {
  readonly tasksPerSecond: Spread;
  readonly p95: Spread;
  readonly cpuMicroseconds: Spread;
}

/** Tasks a second on top of what waits (`afterRound` of each), then the latency at a gentle rate. */
export async function sample(
  system: ServiceSystem,
  submitter: Submitter,
  fleet: SimulatedFleet,
  quick: boolean,
  afterRound: () => void = () => undefined,
): Promise<Sample> {
  const [rounds, count, rate, seconds] = quick ? [1, 20, 20, 1] : [3, 1_500, 100, 4];
  const idle = await submitter.active();
  const quiet = () => until(async () => (await submitter.active()) <= idle, 120_000);
  const cpu = (): number => SERVICES.reduce((sum, name) => sum + cpuSecondsOf(system.pidOf(name)), 0);
  await submitter.submitMany(count, 128);
  await quiet();
  const [paces, costs, latencies]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < rounds; round += 1) {
    const [startedAt, cpuBefore] = [performance.now(), cpu()];
    await submitter.submitMany(count, 128);
    await quiet();
    paces.push(count / ((performance.now() - startedAt) / 1_000));
    costs.push(((cpu() - cpuBefore) * 1e6) / count);
    afterRound();
  }
  for (let round = 0; round < rounds; round += 1) {
    await fleet.tally();
    await atRate(rate, seconds, () => submitter.submitTimed());
    await quiet();
    latencies.push(percentile((await fleet.tally()).latencies, 0.95));
  }
  return { tasksPerSecond: spreadOf(paces), cpuMicroseconds: spreadOf(costs), p95: spreadOf(latencies) };
}

export const columns = ['tasks/s', 'CPU of tasks and scheduler, µs a task', 'submit to agent p95 at 100/s, ms'];
export const cells = ({ tasksPerSecond, cpuMicroseconds, p95 }: Sample): string[] =>
  [tasksPerSecond, cpuMicroseconds, p95].map(withRange);
