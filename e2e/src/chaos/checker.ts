import { foldHistory } from './history-fold.js';
import { checkLogs, type ExcusedLine } from './log-check.js';
import { checkCancelled, checkRuns } from './run-check.js';
import type { Observations, ObservedTask, Submission, Violation } from './observations.js';
import { checkOutcome } from './outcome-check.js';
import { checkLeases, checkRetries } from './retry-check.js';

export interface Verdict {
  readonly violations: readonly Violation[];
  readonly excused: readonly ExcusedLine[];
  /** How much was looked at: a check of nothing proves nothing. */
  readonly looked: {
    readonly tasks: number;
    readonly events: number;
    readonly witnessLines: number;
    readonly attempts: number;
    readonly secondAttempts: number;
  };
}

/** Knows nothing of the system but its public API: no contracts, no fold, no store of its own. */
export function check(observations: Observations): Verdict {
  const { submissions, tasks, witness } = observations;
  const planned = new Map(submissions.flatMap(({ planned, ids }) => ids.map((id) => [id, planned] as const)));
  const logs = checkLogs(observations, planned);
  const beats = [...witness.values()].flat();
  const attempts = new Set(beats.map(({ taskId, attempt }) => `${taskId} ${attempt}`));
  return {
    violations: [
      ...checkAccepted(submissions, observations.listed, tasks),
      ...tasks.flatMap((task) => [
        ...checkHistory(task),
        ...checkOutcome(task, planned.get(task.id), witness.get(task.id) ?? []),
        ...checkRetries(task, planned.get(task.id), witness.get(task.id) ?? []),
        ...checkLeases(task, planned.get(task.id)),
      ]),
      ...checkRuns(observations),
      ...checkCancelled(observations),
      ...logs.violations,
      ...checkResources(observations),
    ],
    excused: logs.excused,
    looked: {
      tasks: tasks.length,
      events: tasks.reduce((sum, { history }) => sum + history.length, 0),
      witnessLines: beats.length,
      attempts: attempts.size,
      secondAttempts: [...attempts].filter((key) => !key.endsWith(' 1')).length,
    },
  };
}

/** Every key that was accepted is one task, and there are no others. */
function checkAccepted(
  submissions: readonly Submission[],
  listed: readonly string[],
  tasks: readonly ObservedTask[],
): Violation[] {
  const rule = 'accepted-once';
  const violations: Violation[] = [];
  const keyOf = new Map<string, string>();
  for (const { planned, ids } of submissions) {
    const different = new Set(ids);
    if (different.size !== 1)
      violations.push({ rule, detail: `Key ${planned.key} was answered with ${different.size} tasks.` });
    for (const id of different) {
      const other = keyOf.get(id);
      if (other !== undefined)
        violations.push({ rule, taskId: id, detail: `Keys ${other} and ${planned.key} share a task.` });
      keyOf.set(id, planned.key);
    }
  }
  const list = new Set(listed);
  if (list.size !== listed.length)
    violations.push({ rule, detail: `The list shows ${listed.length - list.size} tasks twice.` });
  for (const id of list)
    if (!keyOf.has(id)) violations.push({ rule, taskId: id, detail: 'The list has a task that nobody submitted.' });
  for (const [id, key] of keyOf) {
    if (!list.has(id))
      violations.push({ rule, taskId: id, detail: `Accepted under key ${key}, but the list lacks it.` });
    if (!tasks.some((task) => task.id === id))
      violations.push({ rule, taskId: id, detail: `Accepted under key ${key}, but it cannot be read.` });
  }
  return violations;
}

/** The history has one end, nothing moves after it, and it amounts to what the API says about the task. */
function checkHistory(task: ObservedTask): Violation[] {
  const { id: taskId, history } = task;
  const folded = foldHistory(history);
  const violations: Violation[] = [];
  const add = (rule: string, detail: string): void => void violations.push({ rule, taskId, detail });
  if (folded.terminals.length !== 1)
    add(
      'one-terminal-state',
      `Its history ends ${folded.terminals.length} times (${folded.terminals.join(', ')}); the API says ${task.status}.`,
    );
  if (folded.late.length > 0) add('one-terminal-state', `After its end came ${folded.late.join(', ')}.`);
  const versions = history.map(({ version }) => version);
  const gap = versions.findIndex((version, index) => {
    const before = index === 0 ? 0 : (versions[index - 1] ?? 0);
    return version !== before && version !== before + 1;
  });
  if (gap >= 0) add('history-complete', `Version ${versions[gap]} does not follow ${versions[gap - 1] ?? 0}.`);
  for (const field of ['status', 'attempt', 'exitCode', 'failureClass'] as const) {
    if (folded[field] !== task[field])
      add('history-folds', `${field}: the history gives ${folded[field]}, the API says ${task[field]}.`);
  }
  return violations;
}

/** Once every task has ended nothing is reserved, nothing runs and nothing is left on the machine. */
function checkResources({ workers, leftovers }: Observations): Violation[] {
  const violations: Violation[] = leftovers.map((what) => ({ rule: 'nothing-left', detail: what }));
  for (const { id, allocated, runningTasks, allocatedGpus } of workers) {
    const { cpu, memoryMb, storageMb } = allocated;
    if (cpu !== 0 || memoryMb !== 0 || storageMb !== 0 || runningTasks !== 0 || allocatedGpus !== 0)
      violations.push({
        rule: 'resources-zero',
        detail: `Worker ${id} still holds ${cpu} cores, ${memoryMb} MiB, ${storageMb} MiB of storage, ${allocatedGpus} GPUs and ${runningTasks} tasks.`,
      });
  }
  if (workers.length === 0) violations.push({ rule: 'resources-zero', detail: 'The API shows no worker at all.' });
  return violations;
}
