import { rmSync } from 'node:fs';
import type { LogLine } from '@gantry/contracts/agents/log-chunk';
import type { ReportBody } from '@gantry/contracts/agents/report';
import { eventually } from '@gantry/testing/eventually';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AttemptResult } from '../domain/attempt.state.js';
import { SimulatedRuntime } from '../runtime/simulated/simulated-runtime.js';
import { logInto, runnerParts, simulatedAssignment } from '../testing/runner-parts.fixture.js';
import { AttemptRunner } from './attempt-runner.js';
import type { LogPipeline } from './log-pipeline.js';
import type { RunnerParts } from './runner-parts.js';

/** Fails `times` times, then does it. */
function failing<T>(times: number, work: () => Promise<T>): () => Promise<T> {
  let left = times;
  return () => (left-- > 0 ? Promise.reject(new Error('not this time')) : work());
}

describe('an attempt of which a step fails', () => {
  let folder: string;
  let lines: LogLine[];
  let reports: ReportBody[];
  let over: AttemptResult | undefined;

  beforeEach(() => {
    folder = temporaryFolder('gantry-attempt');
    lines = [];
    reports = [];
    over = undefined;
  });

  afterEach(() => {
    vi.useRealTimers();
    rmSync(folder, { recursive: true, force: true });
  });

  function runner(
    runtime: SimulatedRuntime,
    task = simulatedAssignment(0),
    { openLog = pipeline, refusals = 0, isLeaseOver = () => false }: Partial<RunnerParts> & { refusals?: number } = {},
  ): AttemptRunner {
    let refused = 0;
    const parts = runnerParts(folder, reports, {
      runtime,
      openLog,
      isLeaseOver,
      onDone: (_key, result) => {
        over = result;
      },
    });
    const { send } = parts.reports;
    const refusing = {
      send: (...[of, report, ...rest]: Parameters<typeof send>) =>
        report.type === 'exited' && refused++ < refusals
          ? Promise.reject(new Error('refused'))
          : send(of, report, ...rest),
    };
    return new AttemptRunner(task, { ...parts, reports: refusing });
  }

  const pipeline = (): Promise<LogPipeline> => logInto(lines);

  const ended = (): Promise<AttemptResult> =>
    eventually(() => {
      if (over === undefined) throw new Error('not over');
      return over;
    });
  const own = (): string[] => lines.filter(({ stream }) => stream === 'system').map(({ text }) => text);
  const exits = (): ReportBody[] => reports.filter(({ type }) => type === 'exited');

  it('is not started when its lease is over by then', async () => {
    const runtime = new SimulatedRuntime();
    const start = vi.spyOn(runtime, 'start');
    const asked: number[] = [];
    const isLeaseOver = (leaseMs: number): boolean => asked.push(leaseMs) > 0;
    runner(runtime, simulatedAssignment(0), { isLeaseOver }).begin();
    expect(await ended()).toMatchObject({ outcome: 'infrastructure_error' });
    expect(asked).toEqual([60_000]);
    expect(start).not.toHaveBeenCalled();
    expect(exits()).toMatchObject([
      { outcome: 'infrastructure_error', message: 'Its lease ended before it was started.' },
    ]);
  });

  it('ends as it did although its log cannot be read, and says so there, once', async () => {
    const runtime = new SimulatedRuntime();
    runtime.followLogs = () => Promise.reject(new Error('open x-json.log: no such file'));
    runner(runtime, simulatedAssignment(0, 3)).begin();
    expect(await ended()).toMatchObject({ outcome: 'exited', exitCode: 3 });
    expect(exits()).toMatchObject([{ outcome: 'exited', exitCode: 3 }]);
    expect(own()).toEqual([
      'The rest of what the task printed could not be read and is lost: open x-json.log: no such file',
      'The container exited with code 3. Look at its log.',
    ]);
  });

  it('can be cancelled while its log cannot be read', async () => {
    const runtime = new SimulatedRuntime();
    runtime.followLogs = () => Promise.reject(new Error('damaged'));
    const attempt = runner(runtime, simulatedAssignment(600_000));
    attempt.begin();
    await eventually(() => expect(attempt.phase).toBe('running'));
    attempt.end({ cause: 'revoked', reason: 'cancelled', graceMs: 0 });
    expect(await ended()).toMatchObject({ outcome: 'cancelled' });
  });

  it('opens its log again when that failed', async () => {
    runner(new SimulatedRuntime(), simulatedAssignment(0), { openLog: failing(2, pipeline) }).begin();
    expect(await ended()).toMatchObject({ outcome: 'exited', exitCode: 0 });
    expect(lines).toHaveLength(1);
  });

  it('waits for its end again when that failed', async () => {
    const runtime = new SimulatedRuntime();
    const wait = runtime.wait.bind(runtime);
    let failed = 0;
    runtime.wait = (...asked) => (failed++ < 2 ? Promise.reject(new Error('broken')) : wait(...asked));
    runner(runtime, simulatedAssignment(10, 4)).begin();
    expect(await ended()).toMatchObject({ outcome: 'exited', exitCode: 4 });
    expect(lines.filter(({ stream }) => stream === 'stderr')).toHaveLength(1);
  });

  it('reports its end again when the broker refused it', async () => {
    runner(new SimulatedRuntime(), simulatedAssignment(0), { refusals: 2 }).begin();
    await ended();
    expect(exits()).toHaveLength(1);
  });

  it('is asked to stop again when the engine did not take the signal, within its grace', async () => {
    const runtime = new SimulatedRuntime();
    const signal = runtime.signal.bind(runtime);
    const asked: string[] = [];
    runtime.signal = (id, name) => {
      asked.push(name);
      return asked.length === 1 ? Promise.reject(new Error('the engine is away')) : signal(id, name);
    };
    const attempt = runner(runtime, simulatedAssignment(600_000));
    attempt.begin();
    await eventually(() => expect(attempt.phase).toBe('running'));
    attempt.end({ cause: 'revoked', reason: 'cancelled', graceMs: 60_000 });
    expect(await ended()).toMatchObject({ outcome: 'cancelled', exitCode: 143 });
    expect(asked).toEqual(['SIGTERM', 'SIGTERM']);
  });

  it('is over although the engine never answers that its container is removed', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const runtime = new SimulatedRuntime();
    runtime.remove = () => new Promise(() => undefined);
    runner(runtime).begin();
    for (let round = 0; round < 1_000 && over === undefined; round += 1) {
      await vi.advanceTimersByTimeAsync(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(over).toMatchObject({ outcome: 'exited', exitCode: 0 });
  });
});
