import { foldHistory } from './history-fold.js';
import type { DoneFault, Observations, Violation } from './observations.js';
import type { Beat } from './witness.js';
import type { PlannedTask } from './workload.js';

/** Two attempts at once where nobody was left who could have stopped the older one; counted and shown, never silent. */
export interface ExcusedOverlap {
  readonly taskId: string;
  readonly seconds: number;
  readonly why: string;
}

interface Run {
  readonly attempt: number;
  readonly first: number;
  readonly last: number;
  readonly begins: number;
}

/** An absence shorter than this keeps no agent from ending its containers in time. Seconds. */
const SHORTEST_ABSENCE = 5;
/** An agent that is back ends what it may no longer run within this. Seconds. */
const BACK_TO_WORK = 5;

/**
 * What really ran. A line of an older attempt after the first line of a newer one is two at once; a second beginning of one
 * attempt is two runs of it. Lines come at most half a second apart, so an overlap shorter than that may stay unseen.
 *
 * One exception, which docs/adr/0007 names: the lease is kept by the agent, so it is not kept while the agent itself is dead or frozen, or
 * while its container engine is. Being cut off is no excuse.
 */
export function checkRuns(
  { witness, tasks, faults }: Observations,
  planned: ReadonlyMap<string, PlannedTask>,
): { violations: Violation[]; excused: ExcusedOverlap[] } {
  const violations: Violation[] = [];
  const excused: ExcusedOverlap[] = [];
  const histories = new Map(tasks.map(({ id, history }) => [id, foldHistory(history)]));
  for (const [taskId, beats] of witness) {
    const workers = histories.get(taskId)?.workers;
    const inContainer = planned.get(taskId)?.queue === 'containers';
    const runs = runsOf(beats);
    for (const run of runs) {
      const { attempt, begins, last } = run;
      if (begins > 1)
        violations.push({ rule: 'attempt-runs-once', taskId, detail: `Attempt ${attempt} began ${begins} times.` });
      const worker = workers?.get(attempt);
      if (worker === undefined)
        violations.push({ rule: 'run-was-assigned', taskId, detail: `Attempt ${attempt} ran but was never assigned.` });
      for (const newer of runs) {
        if (newer.attempt <= attempt || newer.first > last) continue;
        const why = excuseOf({ from: newer.first, to: last }, faults, worker, inContainer);
        if (why !== undefined) excused.push({ taskId, seconds: last - newer.first, why });
        else
          violations.push({
            rule: 'no-overlap',
            taskId,
            detail: `Attempt ${attempt} ran until ${last} s, attempt ${newer.attempt} from ${newer.first} s: ${(last - newer.first).toFixed(2)} s together.`,
          });
      }
    }
  }
  return { violations, excused };
}

function runsOf(beats: readonly Beat[]): Run[] {
  const runs = new Map<number, Run>();
  for (const { attempt, kind, t } of beats) {
    const run = runs.get(attempt) ?? { attempt, first: t, last: t, begins: 0 };
    runs.set(attempt, {
      attempt,
      first: Math.min(run.first, t),
      last: Math.max(run.last, t),
      begins: run.begins + (kind === 'begin' ? 1 : 0),
    });
  }
  return [...runs.values()];
}

function excuseOf(
  overlap: { from: number; to: number },
  faults: readonly DoneFault[],
  worker: string | undefined,
  inContainer: boolean,
): string | undefined {
  const absent = faults.find(
    ({ kind, target, workerId, from, to }) =>
      (kind === 'kill-all' ||
        ((kind === 'kill' || kind === 'freeze') &&
          ((workerId !== undefined && workerId === worker) || (inContainer && target === 'docker')))) &&
      to - from >= SHORTEST_ABSENCE &&
      from <= overlap.from &&
      to + BACK_TO_WORK >= overlap.to,
  );
  return absent === undefined
    ? undefined
    : `${absent.target} was away (${absent.kind}) for ${(absent.to - absent.from).toFixed(1)} s`;
}
