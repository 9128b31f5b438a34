import type { ReportBody } from '@gantry/contracts/agents/report';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import { assertNever } from '@gantry/kernel/assert-never';
import { cancelled, endByFailure, endByInfrastructure, type Ending } from './task-ending.decide.js';
import type { RecordReport } from './task.commands.js';
import { taskErrors } from './task.errors.js';
import { evolveTask, isPlaced, staleKey } from './task.evolve.js';
import type { EndedTask, PlacedTask, Progress, QueuedTask, TaskState } from './task.state.js';

type Exited = Extract<ReportBody, { type: 'exited' }>;
type Progressing = Extract<ReportBody, { type: 'pulling' | 'progress' }>;

/**
 * A report with the news of the start that came with it, each judged after the one before: their events are one commit. Of an
 * attempt that is not (or no longer) current only the last word counts.
 */
export function decideReports(command: RecordReport, state: TaskState): readonly TaskEvent[] {
  const { earlier = [], attempt, workerId } = command;
  const current = isPlaced(state) && state.attempt === attempt && state.workerId === workerId;
  if (!current || earlier.length === 0) return decideReport(command, state);
  let before: TaskState = state;
  const events: TaskEvent[] = [];
  for (const { at, report } of [...earlier, command]) {
    const decided = decideReport({ ...command, at, report }, before);
    for (const event of decided) before = evolveTask(before, event);
    events.push(...decided);
  }
  return events;
}

/**
 * What an agent says about an attempt. Reports come at least once and in any order, so each is judged against the state only:
 * news of the current attempt becomes events, repetitions nothing, anything of an older attempt at most one record.
 */
function decideReport(command: RecordReport, state: TaskState): readonly TaskEvent[] {
  if (state.status === 'absent') throw taskErrors.notFound();
  if (state.status === 'deleted') return [];
  if (isPlaced(state)) {
    if (command.attempt > state.attempt) throw taskErrors.assignmentNotSeen();
    if (command.attempt === state.attempt && command.workerId === state.workerId) return decideCurrent(command, state);
    return stale(command, state);
  }
  if (state.status === 'queued') {
    if (command.attempt >= state.attempt) throw taskErrors.assignmentNotSeen();
    return stale(command, state);
  }
  if (command.attempt > state.attempt) return [];
  const ofLastRun = command.attempt === state.attempt && command.workerId === state.workerId;
  return ofLastRun ? [] : stale(command, state);
}

function decideCurrent(command: RecordReport, state: PlacedTask): readonly TaskEvent[] {
  const { report, attempt, at } = command;
  switch (report.type) {
    case 'accepted':
      return state.status === 'assigned' ? [{ type: 'TaskStarting', data: { attempt, phase: 'accepted', at } }] : [];
    case 'pulling': {
      if (state.status === 'running') return [];
      const pulling = state.status === 'starting' && state.phase === 'pulling';
      const known = pulling ? state.progress : undefined;
      return [
        ...(pulling ? [] : [{ type: 'TaskStarting', data: { attempt, phase: 'pulling', at } } as const]),
        ...progressed(attempt, at, report, known),
      ];
    }
    case 'progress':
      return state.status === 'running' ? progressed(attempt, at, report, state.progress) : [];
    case 'started':
      return state.status === 'running' ? [] : [started(attempt, report.startedAt, report.containerId)];
    case 'exited':
      return [...startedBefore(state, report), ...exited(command, report, state)];
    case 'rejected':
      return endByInfrastructure(state, {
        message: report.message,
        finishedAt: at,
        now: command.now,
        jitter: command.jitter,
      });
    default:
      return assertNever(report, 'report');
  }
}

function exited(command: RecordReport, report: Exited, state: PlacedTask): readonly TaskEvent[] {
  const { finishedAt, usage, exitCode } = report;
  const message =
    report.message ||
    (exitCode === undefined ? 'The agent gave no reason.' : `The command exited with code ${exitCode}.`);
  const ending: Ending = { message, finishedAt, now: command.now, jitter: command.jitter, exitCode, usage };
  switch (report.outcome) {
    case 'exited':
      if (exitCode === undefined) return endByInfrastructure(state, ending);
      if (exitCode !== 0) return endByFailure(state, 'user_exit', ending);
      return [
        {
          type: 'TaskSucceeded',
          data: { attempt: state.attempt, exitCode, finishedAt, ...(usage === undefined ? {} : { usage }) },
        },
      ];
    case 'out_of_memory':
      return endByFailure(state, 'out_of_memory', ending);
    case 'timed_out':
      return endByFailure(state, 'timeout', ending);
    case 'image_error':
      return endByFailure(state, 'image', ending);
    case 'failed_to_start':
      return endByFailure(state, 'invalid', ending);
    case 'cancelled':
      // Stopped although nobody asked for it (a revoked or expired lease): the task still wants to run.
      return state.cancel === undefined ? endByInfrastructure(state, ending) : [cancelled(state, ending)];
    case 'infrastructure_error':
      return endByInfrastructure(state, ending);
    default:
      return assertNever(report.outcome, 'outcome');
  }
}

/** `exited` overtook `started`: it carries what is needed, so that the history stays whole. */
function startedBefore(state: PlacedTask, report: Exited): readonly TaskEvent[] {
  if (state.status === 'running' || report.startedAt === undefined) return [];
  return [started(state.attempt, report.startedAt, report.containerId ?? '')];
}

function started(attempt: number, startedAt: number, containerId: string): TaskEvent {
  return { type: 'TaskStarted', data: { attempt, startedAt, containerId } };
}

function progressed(
  attempt: number,
  at: number,
  report: Progressing,
  known: Progress | undefined,
): readonly TaskEvent[] {
  const { percent, message } = report;
  if (percent === undefined && message === undefined) return [];
  if (known !== undefined) {
    if (at < known.at) return [];
    if (at === known.at && percent === known.percent && message === known.message) return [];
  }
  return [
    {
      type: 'TaskProgressed',
      data: {
        attempt,
        at,
        ...(percent === undefined ? {} : { percent }),
        ...(message === undefined ? {} : { message }),
      },
    },
  ];
}

/** One record per attempt and worker. Late and repeated reports of an attempt that ended by its own report are no news at all. */
function stale(command: RecordReport, state: PlacedTask | QueuedTask | EndedTask): readonly TaskEvent[] {
  const { attempt, workerId, report, at } = command;
  if (state.staleSeen.includes(staleKey(attempt, workerId))) return [];
  const past = state.past.find((entry) => entry.attempt === attempt && entry.workerId === workerId);
  if (past !== undefined) {
    if (!past.infrastructure) return [];
    if ((report.type === 'exited' || report.type === 'rejected') && report.message === past.message) return [];
  }
  return [{ type: 'StaleReportIgnored', data: { attempt, workerId, report: report.type, at } }];
}
