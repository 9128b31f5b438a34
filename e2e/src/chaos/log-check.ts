import { foldHistory } from './history-fold.js';
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
/** Between the signal to an agent and the end of its sandboxes. Seconds. */
const LAST_BREATH = 0.1;
/** An agent that is in touch has sent a line within this. Seconds. */
const SENT_WITHIN = 3;
/** A connection that broke is there again within this after the cause is gone. Seconds. */
const IN_TOUCH_AGAIN = 10;

/**
 * Every line of the witness was printed before it was witnessed, so the log store must have it: once, and in order.
 *
 * Two exceptions, both where the line dies with a process outside the agent's reach:
 * - container: the engine was killed at most a second after the line was written; or the line was written while there was no
 *   engine and the container ended before the engine was back, because what waits in its pipe goes with it;
 * - sandbox: its agent was killed while the attempt ran. Its output is a pipe to the agent, so what the agent had not sent yet
 *   is lost: what was written just before the kill, or while the agent was frozen or out of touch with the broker; nothing before
 *   a line that is there.
 */
export function checkLogs(
  { tasks, witness, faults }: Observations,
  planned: ReadonlyMap<string, PlannedTask>,
): { violations: Violation[]; excused: ExcusedLine[] } {
  const violations: Violation[] = [];
  const excused: ExcusedLine[] = [];
  for (const task of tasks) {
    const workers = foldHistory(task.history).workers;
    for (const [attempt, beats] of byAttempt(witness.get(task.id) ?? [])) {
      const missing = missingLines(task, attempt, beats, violations);
      const last = lastKept(task, attempt, beats);
      for (const beat of missing) {
        const why =
          planned.get(task.id)?.queue === 'processes'
            ? excuseOfSandbox(beat, last, faults, workers.get(attempt))
            : excuseOfContainer(beat, last, beats.at(-1)?.t ?? beat.t, faults);
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
  const kills = faults.filter(({ kind, target }) => (kind === 'kill' && target === 'docker') || kind === 'kill-all');
  const held = kills.find(({ from }) => beat.t >= from - ENGINE_WINDOW && beat.t <= from + CLOCK_STEP);
  if (held !== undefined) return `the engine was killed ${(held.from - beat.t).toFixed(2)} s after the line`;
  // A pipe gives its lines in order: an engine that has a later one has read this one too.
  if (beat.n > lastKeptLine && kills.some(({ from, to }) => beat.t >= from && beat.t <= to && lastBeat <= to))
    return 'the container ended while there was no engine to read its pipe';
  return undefined;
}

function excuseOfSandbox(
  { n, t }: Beat,
  lastKeptLine: number,
  faults: readonly DoneFault[],
  worker: string | undefined,
): string | undefined {
  if (n < lastKeptLine) return undefined;
  const hits = ({ workerId }: DoneFault): boolean => workerId !== undefined && workerId === worker;
  const kills = faults.filter((fault) => fault.kind === 'kill-all' || (fault.kind === 'kill' && hits(fault)));
  for (const kill of kills) {
    // The sandbox dies with its agent: what it wrote later was read by nobody who was killed then.
    if (t > kill.from + LAST_BREATH) continue;
    if (kill.from - t <= SENT_WITHIN) return `its agent was killed ${(kill.from - t).toFixed(2)} s after the line`;
    const silence = faults.find(
      (fault) =>
        fault !== kill &&
        silences(fault, hits(fault)) &&
        fault.from <= kill.from &&
        fault.to + IN_TOUCH_AGAIN >= kill.from &&
        fault.from <= t + SENT_WITHIN &&
        fault.to + IN_TOUCH_AGAIN >= t,
    );
    if (silence !== undefined)
      return `its agent was killed while it held the line, because of ${silence.kind} of ${silence.target}`;
  }
  return undefined;
}

/** Whether the agent could not send what it held. */
function silences({ kind, target }: DoneFault, ofThisAgent: boolean): boolean {
  if (kind === 'kill-all') return true;
  if (target === 'nats') return kind === 'kill' || kind === 'freeze';
  return ofThisAgent && (kind === 'cut' || kind === 'freeze');
}
