import { setMaxListeners } from 'node:events';
import os from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { check, type Verdict } from './checker.js';
import { ChaosWorld, type WorldOptions } from './chaos-world.js';
import { planFaults, type FaultKind, type PlannedFault } from './fault-plan.js';
import { commitFault } from './faults.js';
import { findLeftovers } from './leftovers.js';
import type { DoneFault, Observations, Submission } from './observations.js';
import { Observer } from './observer.js';
import { submitPlanned } from './submitter.js';
import { readWitness } from './witness.js';
import { planTasks, type TaskKind } from './workload.js';

export interface ChaosRequest extends WorldOptions {
  readonly seed: number;
  readonly tasks: number;
  readonly faults: number;
  /** Mean time between faults, ms. */
  readonly spacing: number;
  /** Share of containers, percent. */
  readonly containers: number;
  readonly kinds?: readonly FaultKind[];
  readonly long?: boolean;
  readonly brief?: boolean;
  readonly agentsOnly?: boolean;
  readonly taskKinds?: readonly TaskKind[];
  /** The agents that faults may hit; undefined = all. */
  readonly hitAgents?: readonly string[];
  /** All tasks are submitted within so many milliseconds; undefined = over the length of the fault plan. */
  readonly submitWithinMs?: number;
  /** For what is still under way when the last fault is over, ms. */
  readonly patienceMs: number;
  readonly say: (line: string) => void;
}

export interface ChaosReport {
  readonly seed: number;
  readonly seconds: { readonly start: number; readonly chaos: number; readonly settle: number; readonly check: number };
  readonly submitted: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly faults: readonly DoneFault[];
  readonly verdict: Verdict;
}

/** Starts the system, disturbs it while tasks run, lets it settle and judges what it says. */
export async function runChaos(request: ChaosRequest, keepFolder = false): Promise<ChaosReport> {
  const world = ChaosWorld.create(request.kinds?.includes('clock') ?? true);
  request.say(`seed ${request.seed}; everything of this run lies in ${world.folder}`);
  const interruption = interrupted();
  try {
    return await Promise.race([runIn(world, request), interruption.came]);
  } catch (error) {
    request.say(`The run broke off: ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  } finally {
    interruption.ignore();
    await world.stop();
    if (!keepFolder) world.remove();
  }
}

/** Who presses Ctrl-C must not be left with an engine, namespaces and a bridge that nobody knows of. */
function interrupted(): { readonly came: Promise<never>; ignore(): void } {
  const listeners = new AbortController();
  const came = new Promise<never>((_resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const end = (): void => reject(new Error(`It was ended by ${signal}.`));
      process.once(signal, end);
      listeners.signal.addEventListener('abort', () => process.removeListener(signal, end));
    }
  });
  // What comes while nobody waits any more is no error of its own.
  came.catch(() => undefined);
  return { came, ignore: () => listeners.abort() };
}

async function runIn(world: ChaosWorld, request: ChaosRequest): Promise<ChaosReport> {
  const clock = stopwatch();
  await world.start(request);
  const start = clock();
  request.say(`ready after ${start.toFixed(1)} s`);
  const { submissions, faults, problems } = await disturb(world, request);
  const chaos = clock();
  const observer = new Observer(world.api.reader, AbortSignal.timeout(request.patienceMs * 2));
  const left = await settle(observer, submissions, request);
  const settled = clock();
  const observations = await observe(world, observer, submissions, faults);
  const verdict = check(observations);
  const violations = [
    ...problems.map((detail) => ({ rule: 'harness', detail })),
    ...left.map((taskId) => ({ rule: 'one-terminal-state', taskId, detail: 'Still not at an end.' })),
    ...verdict.violations,
  ];
  return {
    seed: request.seed,
    seconds: { start, chaos, settle: settled, check: clock() },
    submitted: submissions.length,
    byStatus: count(observations.tasks.map(({ status }) => status)),
    faults,
    verdict: { ...verdict, violations },
  };
}

interface Disturbed {
  readonly submissions: readonly Submission[];
  readonly faults: readonly DoneFault[];
  readonly problems: readonly string[];
}

async function disturb(world: ChaosWorld, request: ChaosRequest): Promise<Disturbed> {
  const plan = planFaults({
    ...request,
    services: world.services,
    agents: request.hitAgents ?? world.agents.map(({ name }) => name),
  });
  const over = (plan.at(-1)?.at ?? 0) + 1_000;
  const tasks = planTasks({ ...request, over: request.submitWithinMs ?? over });
  const startedAt = performance.now();
  const limit = AbortSignal.timeout(over + request.patienceMs);
  // One listener per task that waits; the default limit of ten is meant to find leaks.
  setMaxListeners(0, limit);
  let accepted = 0;
  const submitting = tasks.map((planned) =>
    submitPlanned(planned, {
      api: world.api.writer,
      image: world.image,
      startedAt,
      onAccepted: () => (accepted += 1),
      signal: limit,
    }),
  );
  // Settled by hand below: a rejection before that must not end the process.
  const submitted = Promise.allSettled(submitting);
  const faulting = plan.map(async (fault, index) => {
    await pause(Math.max(0, startedAt + fault.at - performance.now()));
    request.say(describe(fault, `${index + 1}/${plan.length}`, `${accepted}/${tasks.length} accepted`));
    return commitFault(world, fault);
  });
  const faulted = await Promise.allSettled(faulting);
  const outcomes = await submitted;
  return {
    submissions: outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])),
    faults: faulted.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : [])),
    problems: [...faulted, ...outcomes].flatMap((outcome) =>
      outcome.status === 'rejected' ? [String(outcome.reason)] : [],
    ),
  };
}

function describe({ kind, target, duration, how, step }: PlannedFault, number: string, progress: string): string {
  const lasting = duration === 0 ? '' : ` for ${(duration / 1_000).toFixed(1)} s`;
  return `${os.uptime().toFixed(1)}  fault ${number}  ${kind} ${target}${how === undefined ? '' : ` (${how})`}${step === undefined ? '' : ` by ${step} s`}${lasting}; ${progress}`;
}

const ACTIVE = ['queued', 'assigned', 'starting', 'running'] as const;

/** Until every task has ended, or patience has; gives those that have not. */
async function settle(
  observer: Observer,
  submissions: readonly Submission[],
  { patienceMs, say }: ChaosRequest,
): Promise<string[]> {
  const ours = new Set(submissions.flatMap(({ ids }) => ids));
  const deadline = performance.now() + patienceMs;
  for (let last = -1; ;) {
    const active = (await observer.listTasks([...ACTIVE])).filter((id) => ours.has(id));
    if (active.length !== last) say(`${active.length} tasks still under way`);
    last = active.length;
    if (active.length === 0 || performance.now() > deadline) return active;
    await pause(1_000);
  }
}

const CATCH_UP_MS = 60_000;

/** Logs are stored and containers removed a moment after a task's end: the judgement waits for that, but not for ever. */
async function observe(
  world: ChaosWorld,
  observer: Observer,
  submissions: readonly Submission[],
  faults: readonly DoneFault[],
): Promise<Observations> {
  const ids = [...new Set(submissions.flatMap((submission) => submission.ids))];
  const tasks = new Map((await observer.readTasks(ids)).map((task) => [task.id, task]));
  const deadline = performance.now() + CATCH_UP_MS;
  for (;;) {
    const observations: Observations = {
      submissions,
      faults,
      listed: await observer.listTasks(),
      tasks: [...tasks.values()],
      workers: await observer.readWorkers(),
      witness: readWitness(world.witness.folder),
      leftovers: await findLeftovers({
        dockerHost: world.dockerHost,
        runFolder: world.folder,
        agents: world.agents.map(({ id }) => id),
      }),
    };
    const { violations } = check(observations);
    // The witness only grows: two attempts at once stay so, and so does one that outlived its cancellation.
    const passing = violations.filter(({ rule }) => rule !== 'no-overlap' && rule !== 'cancelled-is-gone');
    if (passing.length === 0 || performance.now() > deadline) return observations;
    await pause(1_000);
    for (const id of new Set(
      passing.flatMap(({ taskId }) => (taskId !== undefined && tasks.has(taskId) ? [taskId] : [])),
    ))
      tasks.set(id, await observer.readTask(id));
  }
}

function count(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/** Seconds since the last look. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const seconds = (now - last) / 1_000;
    last = now;
    return seconds;
  };
}
