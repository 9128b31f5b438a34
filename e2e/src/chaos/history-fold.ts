import type { HistoryEvent } from './observations.js';

/** What a history amounts to. Written from the description of the events alone, so that it can disagree with the system's own fold. */
export interface Folded {
  status: string;
  attempt: number;
  exitCode: number | null;
  failureClass: string | null;
  terminals: string[];
  /** Changes of state after the first terminal one. */
  late: string[];
  /** Worker of each attempt that was ever assigned. */
  workers: Map<number, string>;
  /** Lease of each of them, ms. */
  leases: Map<number, number>;
  attemptOfSuccess: number | undefined;
  infrastructureFailures: number;
  failures: Failure[];
}

/** The end of an attempt that was not a success, in the order of the history. */
export interface Failure {
  readonly attempt: number;
  readonly class: string;
  readonly exitCode: number | undefined;
  /** Whether the event says that it used a retry; undefined = it ended the task. */
  readonly usedRetry: boolean | undefined;
}

/** What a user is told: what is not the task's fault is tried again without counting. */
export const NOT_ITS_FAULT = 'infrastructure';

const ENDS: Readonly<Record<string, string>> = {
  TaskSucceeded: 'succeeded',
  TaskFailed: 'failed',
  TaskCancelled: 'cancelled',
  TaskTimedOut: 'timed_out',
};
const MOVES: Readonly<Record<string, string>> = {
  TaskSubmitted: 'queued',
  TaskAssigned: 'assigned',
  TaskStarting: 'starting',
  TaskStarted: 'running',
  TaskRequeued: 'queued',
};

interface EventData {
  readonly attempt?: number;
  readonly endedAttempt?: number;
  readonly leaseMs?: number;
  readonly usedRetry?: boolean;
  readonly nextAttempt?: number;
  readonly workerId?: string;
  readonly exitCode?: number;
  readonly failure?: { readonly class?: string };
}

export function foldHistory(history: readonly HistoryEvent[]): Folded {
  const folded: Folded = {
    status: 'unknown',
    attempt: 1,
    exitCode: null,
    failureClass: null,
    terminals: [],
    late: [],
    workers: new Map(),
    leases: new Map(),
    attemptOfSuccess: undefined,
    infrastructureFailures: 0,
    failures: [],
  };
  for (const { type, data } of history) apply(folded, type, data ?? {});
  return folded;
}

function apply(folded: Folded, type: string, data: EventData): void {
  const status = ENDS[type] ?? MOVES[type];
  if (status === undefined) return;
  if (folded.terminals.length > 0) folded.late.push(type);
  folded.status = status;
  if (type === 'TaskAssigned') {
    folded.attempt = data.attempt ?? folded.attempt;
    folded.workers.set(folded.attempt, data.workerId ?? '');
    folded.leases.set(folded.attempt, data.leaseMs ?? 0);
  }
  if (type === 'TaskRequeued') {
    folded.attempt = data.nextAttempt ?? folded.attempt;
    if (data.failure?.class === 'infrastructure') folded.infrastructureFailures += 1;
    folded.failures.push(failureOf(data, data.endedAttempt, data.usedRetry ?? false));
  }
  if (!(type in ENDS)) return;
  folded.terminals.push(type);
  folded.failureClass = type === 'TaskTimedOut' ? 'timeout' : (data.failure?.class ?? null);
  if (type === 'TaskFailed') folded.failures.push(failureOf(data, data.attempt, undefined));
  if (type === 'TaskSucceeded' || type === 'TaskFailed') folded.exitCode = data.exitCode ?? null;
  if (type === 'TaskSucceeded') folded.attemptOfSuccess = data.attempt;
}

function failureOf(data: EventData, attempt: number | undefined, usedRetry: boolean | undefined): Failure {
  return { attempt: attempt ?? 0, class: data.failure?.class ?? '', exitCode: data.exitCode, usedRetry };
}
