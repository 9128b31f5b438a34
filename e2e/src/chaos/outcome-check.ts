import { createHash } from 'node:crypto';
import { foldHistory } from './history-fold.js';
import type { ObservedTask, Violation } from './observations.js';
import type { Beat } from './witness.js';
import type { PlannedTask, TaskKind } from './workload.js';

interface Outcome {
  readonly status: string;
  readonly exitCode?: number;
  readonly failureClass?: string;
}

/** How each kind may end, whatever happens around it. A cancellation may come too late or hit it on its way. */
const allowed: Readonly<Record<TaskKind, readonly Outcome[]>> = {
  quick: [{ status: 'succeeded', exitCode: 0 }],
  steady: [{ status: 'succeeded', exitCode: 0 }],
  stubborn: [{ status: 'succeeded', exitCode: 0 }],
  lasting: [{ status: 'succeeded', exitCode: 0 }],
  patient: [{ status: 'succeeded', exitCode: 0 }],
  networked: [{ status: 'succeeded', exitCode: 0 }],
  filing: [{ status: 'succeeded', exitCode: 0 }],
  failing: [{ status: 'failed', exitCode: 3, failureClass: 'user_exit' }],
  cancelled: [{ status: 'cancelled' }],
  endless: [{ status: 'timed_out' }],
  hungry: [{ status: 'failed', failureClass: 'out_of_memory' }],
};

/** The tasks service gives up on a task whose attempts were lost so many times; documented, and told to the user as such. */
const LOST_TOO_OFTEN = 9;

export function checkOutcome(
  task: ObservedTask,
  planned: PlannedTask | undefined,
  beats: readonly Beat[],
): Violation[] {
  if (planned === undefined) return [];
  const { id: taskId } = task;
  const folded = foldHistory(task.history);
  if (task.failureClass === 'infrastructure' && folded.infrastructureFailures >= LOST_TOO_OFTEN) return [];
  const fits = allowed[planned.kind].some(
    ({ status, exitCode, failureClass }) =>
      status === task.status &&
      (exitCode === undefined || exitCode === task.exitCode) &&
      (failureClass === undefined || failureClass === task.failureClass),
  );
  if (!fits) {
    const detail = `A ${planned.kind} task ended as ${task.status} (exit code ${task.exitCode}, ${task.failureClass ?? 'no failure'}).`;
    return [{ rule: 'outcome', taskId, detail }];
  }
  if (task.status !== 'succeeded') return [];
  const violations: Violation[] = [];
  if (!beats.some(({ attempt, kind }) => attempt === folded.attemptOfSuccess && kind === 'end'))
    violations.push({
      rule: 'success-is-real',
      taskId,
      detail: `Attempt ${folded.attemptOfSuccess} is said to have succeeded, but the witness lacks its end.`,
    });
  if (planned.kind === 'filing') {
    const sha256 = createHash('sha256').update(`${taskId}\n`).digest('hex');
    const file = task.artifacts.find(
      ({ path, attempt }) => path === 'result.txt' && attempt === folded.attemptOfSuccess,
    );
    if (file?.sha256 !== sha256)
      violations.push({
        rule: 'files-kept',
        taskId,
        detail: file === undefined ? 'Its file is missing.' : 'Its file has another checksum.',
      });
  }
  return violations;
}
