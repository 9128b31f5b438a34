import { foldHistory, NOT_ITS_FAULT } from './history-fold.js';
import type { DoneFault, Observations, ObservedTask, Violation } from './observations.js';
import type { Beat } from './witness.js';
import type { PlannedTask } from './workload.js';

/** A line that is missing where the system cannot have it; counted and shown, never silent. */
export interface ExcusedLine {
  readonly taskId: string;
  readonly attempt: number;
  readonly text: string;
  readonly why: string;
}

/** The engine reads a line from the pipe before it writes it to its own log; what it holds at a kill -9 was stored nowhere. Seconds. */
const ENGINE_WINDOW = 1;
/** The witness's clock shows hundredths of a second, cut off. */
const CLOCK_STEP = 0.01;
/**
 * Every line of the witness was printed before it was witnessed, so the log store must have it: once, and in order.
 *
 * One exception, where the line dies with a process outside the agent's reach: a container's, if the engine was killed at most a
 * second after the line was written; or if it was written while there was no engine and the container ended before the engine was
 * back, because what waits in its pipe goes with it; or if the engine was killed at most a second after the container began, has
 * none of its lines, and the attempt does not count: such an engine does not know that it started it, and reads nothing of it.
 */
export function checkLogs(
  { tasks, witness, faults }: Observations,
  planned: ReadonlyMap<string, PlannedTask>,
): { violations: Violation[]; excused: ExcusedLine[] } {
  const violations: Violation[] = [];
  const excused: ExcusedLine[] = [];
  for (const task of tasks) {
    for (const [attempt, beats] of byAttempt(witness.get(task.id) ?? [])) {
      const missing = missingLines(task, attempt, beats, violations);
      const last = lastKept(task, attempt, beats);
      for (const beat of missing) {
        const why =
          planned.get(task.id)?.queue === 'processes'
            ? undefined
            : (excuseOfContainer(beat, last, beats.at(-1)?.t ?? beat.t, faults) ??
              (last === 0 && countsForNothing(task, attempt) ? excuseOfForgotten(beats, faults) : undefined));
        if (why !== undefined) excused.push({ taskId: task.id, attempt, text: beat.text, why });
        else
          violations.push({
            rule: 'logs-complete',
            taskId: task.id,
            detail: `The log of attempt ${attempt} lacks "${beat.text}".`,
          });
      }
    }
  }
  return { violations, excused };
}

function byAttempt(beats: readonly Beat[]): Map<number, Beat[]> {
  const groups = new Map<number, Beat[]>();
  for (const beat of beats) groups.set(beat.attempt, [...(groups.get(beat.attempt) ?? []), beat]);
  return groups;
}

function missingLines(task: ObservedTask, attempt: number, beats: readonly Beat[], violations: Violation[]): Beat[] {
  const lines = task.logs.get(attempt) ?? [];
  const places = new Map<string, number>();
  const add = (rule: string, detail: string): void => void violations.push({ rule, taskId: task.id, detail });
  lines.forEach((text, index) => {
    if (places.has(text)) add('logs-once', `The log of attempt ${attempt} has "${text}" twice.`);
    places.set(text, index);
  });
  let place = -1;
  const missing: Beat[] = [];
  for (const beat of beats) {
    const found = places.get(beat.text);
    if (found === undefined) missing.push(beat);
    else if (found < place) add('logs-in-order', `The log of attempt ${attempt} has "${beat.text}" too early.`);
    else place = found;
  }
  return missing;
}

/** Number of the last line that the log store has; 0 = none. */
function lastKept(task: ObservedTask, attempt: number, beats: readonly Beat[]): number {
  const lines = new Set(task.logs.get(attempt));
  return beats.reduce((last, { text, n }) => (lines.has(text) ? Math.max(last, n) : last), 0);
}

function excuseOfContainer(
  beat: Beat,
  lastKeptLine: number,
  lastBeat: number,
  faults: readonly DoneFault[],
): string | undefined {
  const kills = killsOfEngine(faults);
  const held = killRightAfter(beat, kills);
  if (held !== undefined) return `the engine was killed ${(held.from - beat.t).toFixed(2)} s after the line`;
  // A pipe gives its lines in order: an engine that has a later one has read this one too.
  if (beat.n > lastKeptLine && kills.some(({ from, to }) => beat.t >= from && beat.t <= to && lastBeat <= to))
    return 'the container ended while there was no engine to read its pipe';
  return undefined;
}

function excuseOfForgotten([first]: readonly Beat[], faults: readonly DoneFault[]): string | undefined {
  if (first?.n !== 1) return undefined;
  const kill = killRightAfter(first, killsOfEngine(faults));
  if (kill === undefined) return undefined;
  return `the engine was killed ${(kill.from - first.t).toFixed(2)} s after the container began, and did not know of it`;
}

/** It was lost, or its task was cancelled: nobody takes it for a success or a failure of its own. */
function countsForNothing({ history, attempt: newest }: ObservedTask, attempt: number): boolean {
  const { failures, status } = foldHistory(history);
  if (status === 'cancelled' && attempt === newest) return true;
  return failures.some((failure) => failure.attempt === attempt && failure.class === NOT_ITS_FAULT);
}

function killsOfEngine(faults: readonly DoneFault[]): DoneFault[] {
  return faults.filter(({ kind, target }) => (kind === 'kill' && target === 'docker') || kind === 'kill-all');
}

function killRightAfter({ t }: Beat, kills: readonly DoneFault[]): DoneFault | undefined {
  return kills.find(({ from }) => t >= from - ENGINE_WINDOW && t <= from + CLOCK_STEP);
}
