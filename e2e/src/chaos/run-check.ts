import { foldHistory } from './history-fold.js';
import type { Observations, Violation } from './observations.js';
import type { Beat } from './witness.js';

interface Run {
  readonly attempt: number;
  readonly first: number;
  readonly last: number;
  readonly begins: number;
}

/**
 * What really ran. A line of an older attempt after the first line of a newer one is two at once; a second beginning of one
 * attempt is two runs of it. Lines come at most half a second apart, so an overlap shorter than that may stay unseen. No fault
 * excuses any of it.
 */
export function checkRuns({ witness, tasks }: Observations): Violation[] {
  const violations: Violation[] = [];
  const histories = new Map(tasks.map(({ id, history }) => [id, foldHistory(history)]));
  for (const [taskId, beats] of witness) {
    const workers = histories.get(taskId)?.workers;
    const runs = runsOf(beats);
    for (const { attempt, begins, last } of runs) {
      if (begins > 1)
        violations.push({ rule: 'attempt-runs-once', taskId, detail: `Attempt ${attempt} began ${begins} times.` });
      if (workers?.get(attempt) === undefined)
        violations.push({ rule: 'run-was-assigned', taskId, detail: `Attempt ${attempt} ran but was never assigned.` });
      for (const newer of runs) {
        if (newer.attempt <= attempt || newer.first > last) continue;
        violations.push({
          rule: 'no-overlap',
          taskId,
          detail: `Attempt ${attempt} ran until ${last} s, attempt ${newer.attempt} from ${newer.first} s: ${(last - newer.first).toFixed(2)} s together.`,
        });
      }
    }
  }
  return violations;
}

/**
 * Who is told that a task is cancelled may rely on it: nothing of it runs any more. Lines come at most half a second apart, so what
 * runs on for less may stay unseen.
 */
export function checkCancelled({ submissions, witness }: Observations): Violation[] {
  return submissions.flatMap(({ ids, cancelledAt }) => {
    const [taskId = ''] = ids;
    const last = Math.max(0, ...(witness.get(taskId) ?? []).map(({ t }) => t));
    if (cancelledAt === undefined || last <= cancelledAt) return [];
    const detail = `It was cancelled at ${cancelledAt.toFixed(2)} s at the latest, but ran until ${last} s.`;
    return [{ rule: 'cancelled-is-gone', taskId, detail }];
  });
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
