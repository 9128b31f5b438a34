import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resume } from './attempt.resume.js';
import type { AttemptEffect, AttemptInput, AttemptState, Ending } from './attempt.state.js';
import { step } from './attempt.step.js';

const cancelled: Ending = { cause: 'revoked', reason: 'cancelled', graceMs: 5_000 };
const timedOut: Ending = { cause: 'timed_out', limitSeconds: 9, graceMs: 10_000 };
const leaseOver: Ending = { cause: 'lease_over', graceMs: 3_000 };
const end = (ending: Ending): AttemptInput => ({ type: 'end', ending, at: 100 });
const exited = (exitCode: number, oomKilled = false): AttemptInput => ({
  type: 'exited',
  exit: { exitCode, oomKilled, finishedAt: 90 },
});
const begin: AttemptInput = { type: 'begin' };
const pulling: AttemptInput = { type: 'pull-started' };
const image: AttemptInput = { type: 'image-ready' };
const created: AttemptInput = { type: 'created', containerId: 'c', at: 50 };
const started: AttemptInput = { type: 'started', startedAt: 60 };
const collected: AttemptInput = { type: 'collected' };
const acknowledged: AttemptInput = { type: 'exit-acknowledged' };

function run(...inputs: AttemptInput[]): { state: AttemptState; effects: AttemptEffect[] } {
  let state: AttemptState = { status: 'accepted' };
  const effects: AttemptEffect[] = [];
  for (const input of inputs) {
    const next = step(state, input);
    state = next.state;
    effects.push(...next.effects);
  }
  return { state, effects };
}

const types = (effects: readonly AttemptEffect[]): string[] => effects.map(({ type }) => type);
const resultOf = (state: AttemptState) => (state.status === 'collecting' ? state.result : undefined);

describe('life of an attempt', () => {
  it('goes the whole way', () => {
    const { state, effects } = run(begin, image, created, started, exited(0), collected, acknowledged);
    expect(state).toEqual({ status: 'done' });
    expect(types(effects)).toEqual([
      'report-accepted',
      'prepare-image',
      'create',
      'start',
      'report-started',
      'supervise',
      'collect',
      'report-exited',
      'clean-up',
    ]);
    expect(effects.find(({ type }) => type === 'report-exited')).toMatchObject({
      result: { outcome: 'exited', exitCode: 0 },
    });
  });

  it.each([
    ['before the pull', [begin], ['report-accepted', 'prepare-image', 'abort-image', 'collect']],
    [
      'during the pull',
      [begin, pulling],
      ['report-accepted', 'prepare-image', 'report-pulling', 'abort-image', 'collect'],
    ],
  ])('cancelled %s it ends without a container', (_, inputs, expected) => {
    const { state, effects } = run(...inputs, end(cancelled), image);
    expect(types(effects)).toEqual(expected);
    expect(resultOf(state)).toMatchObject({ outcome: 'cancelled' });
  });

  it('cancelled while the engine makes the container, the container is never started', () => {
    const { state, effects } = run(begin, image, end(cancelled), created, collected, acknowledged);
    expect(types(effects)).not.toContain('start');
    expect(effects.at(-1)).toEqual({ type: 'clean-up', containerId: 'c' });
    expect(state.status).toBe('done');
  });

  it('cancelled between create and start, the container is stopped as soon as it runs', () => {
    const { state, effects } = run(begin, image, created, end(cancelled), started);
    expect(effects.at(-1)).toEqual({ type: 'stop', containerId: 'c', graceMs: 5_000 });
    expect(resultOf(step(state, exited(143)).state)).toMatchObject({ outcome: 'cancelled', exitCode: 143 });
  });

  it('cancelled while its files are stored, it is cancelled and keeps its exit code', () => {
    const { state, effects } = run(begin, image, created, started, exited(3), end(cancelled));
    expect(effects.at(-1)).toEqual({ type: 'abort-artifacts' });
    expect(resultOf(state)).toMatchObject({ outcome: 'cancelled', exitCode: 3 });
  });

  it('once everything is stored a cancel comes too late', () => {
    const { state } = run(begin, image, created, started, exited(0), collected, end(cancelled));
    expect(resultOf(state)).toMatchObject({ outcome: 'exited', exitCode: 0 });
  });

  it('the first reason to end it is the one that is reported; a more urgent one shortens the grace', () => {
    const { state, effects } = run(begin, image, created, started, end(timedOut), end(leaseOver), end(cancelled));
    expect(effects.filter(({ type }) => type === 'stop')).toEqual([
      { type: 'stop', containerId: 'c', graceMs: 10_000 },
      { type: 'stop', containerId: 'c', graceMs: 3_000 },
    ]);
    expect(resultOf(step(state, exited(137)).state)).toMatchObject({ outcome: 'timed_out' });
  });

  it('kills once after the grace', () => {
    const { effects } = run(
      begin,
      image,
      created,
      started,
      end(cancelled),
      { type: 'grace-over' },
      { type: 'grace-over' },
    );
    expect(types(effects).filter((type) => type === 'kill')).toHaveLength(1);
  });

  it.each([
    [exited(137, true), 'out_of_memory'],
    [exited(0, true), 'exited'],
    [exited(137), 'exited'],
    [exited(1), 'exited'],
  ])('tells ends apart: %j is %s', (input, outcome) => {
    expect(resultOf(run(begin, image, created, started, input).state)).toMatchObject({ outcome });
  });

  it.each([
    [127, '[FATAL tini (7)] exec nosuch failed: No such file or directory', 'failed_to_start'],
    [127, 'setpriv: failed to execute nosuch: No such file or directory', 'failed_to_start'],
    [1, 'bwrap: execvp nosuch: No such file or directory', 'failed_to_start'],
    [127, 'sh: nosuch: not found', 'exited'],
    [1, '[FATAL tini (7)] exec nosuch failed: No such file or directory', 'exited'],
  ])('exit %i after "%s" is %s', (exitCode, lastErrorLine, outcome) => {
    const input: AttemptInput = { type: 'exited', exit: { exitCode, oomKilled: false, finishedAt: 1, lastErrorLine } };
    expect(resultOf(run(begin, image, created, started, input).state)).toMatchObject({ outcome });
  });

  it('keeps the files of everything but a cancelled attempt', () => {
    const collects = (...inputs: AttemptInput[]) =>
      run(begin, image, created, started, ...inputs).effects.find(({ type }) => type === 'collect');
    expect(collects(exited(1))).toEqual({ type: 'collect', artifacts: true });
    expect(collects(end(timedOut), exited(143))).toEqual({ type: 'collect', artifacts: true });
    expect(collects(end(cancelled), exited(143))).toEqual({ type: 'collect', artifacts: false });
  });

  it('whatever comes in whatever order: one exit report, done stays done, no container is forgotten or started twice', () => {
    const input = fc.constantFrom(
      begin,
      pulling,
      image,
      created,
      started,
      exited(0),
      exited(137, true),
      end(cancelled),
      end(timedOut),
      end(leaseOver),
      collected,
      acknowledged,
      {
        type: 'grace-over',
      } as const,
      { type: 'create-failed', outcome: 'failed_to_start', message: 'm', at: 1 } as const,
      { type: 'container-lost', message: 'm', at: 1 } as const,
    );
    fc.assert(
      fc.property(fc.array(input, { maxLength: 40 }), (inputs) => {
        const { state, effects } = run(...inputs);
        const count = (type: AttemptEffect['type']): number => effects.filter((effect) => effect.type === type).length;
        expect(count('report-exited')).toBeLessThanOrEqual(1);
        expect(count('start')).toBeLessThanOrEqual(1);
        expect(count('collect')).toBeLessThanOrEqual(1);
        if (state.status === 'done') {
          expect(count('clean-up')).toBe(1);
          if (count('start') > 0) expect(effects.at(-1)).toMatchObject({ type: 'clean-up', containerId: 'c' });
        }
      }),
    );
  });
});

describe('an attempt whose end nobody saw', () => {
  const unseen: AttemptInput = {
    type: 'exited',
    exit: { exitCode: 255, oomKilled: false, finishedAt: 90, unseen: true },
  };

  it('was lost, whatever code the engine has made up', () => {
    const { state } = run(begin, image, created, started, unseen);
    expect(resultOf(state)).toEqual({
      outcome: 'infrastructure_error',
      message: expect.stringContaining('engine was away'),
      finishedAt: 90,
    });
  });

  it('stays what the agent did to it', () => {
    const stopped: AttemptInput = {
      type: 'end',
      ending: { cause: 'revoked', reason: 'cancelled', graceMs: 1 },
      at: 80,
    };
    expect(resultOf(run(begin, image, created, started, stopped, unseen).state)).toMatchObject({
      outcome: 'cancelled',
    });
  });
});

describe('an attempt that the lease keeper has ended', () => {
  const kept: AttemptInput = {
    type: 'exited',
    exit: { exitCode: 137, oomKilled: false, finishedAt: 90, leaseEnded: true },
  };

  it('was lost, not failed by its command', () => {
    expect(resultOf(run(begin, image, created, started, kept).state)).toMatchObject({
      outcome: 'infrastructure_error',
      exitCode: 137,
      message: expect.stringContaining('lease keeper'),
    });
  });

  it('was cancelled, if that came first', () => {
    expect(resultOf(run(begin, image, created, started, end(cancelled), kept).state)).toMatchObject({
      outcome: 'cancelled',
    });
  });
});

describe('taking up an attempt after a restart', () => {
  const exit = { exitCode: 4, oomKilled: false, finishedAt: 80 };

  it.each([
    [
      'nothing was made',
      { status: 'creating' } as const,
      { is: 'absent' } as const,
      'accepted',
      ['report-accepted', 'prepare-image'],
    ],
    [
      'it was made, and nobody knows that',
      { status: 'creating' } as const,
      { is: 'created', containerId: 'c' } as const,
      'accepted',
      ['report-accepted', 'prepare-image'],
    ],
    [
      'it may have been started, whatever the engine says',
      { status: 'creating', containerId: 'c' } as const,
      { is: 'created', containerId: 'c' } as const,
      'collecting',
      ['collect'],
    ],
    [
      'it may have been started, and is gone',
      { status: 'creating', containerId: 'c' } as const,
      { is: 'absent' } as const,
      'collecting',
      ['collect'],
    ],
    [
      'it runs',
      { status: 'running', containerId: 'c', startedAt: 60 } as const,
      { is: 'running', containerId: 'c', startedAt: 60 } as const,
      'running',
      ['report-started', 'supervise'],
    ],
    [
      'it had just been started',
      { status: 'creating', containerId: 'c' } as const,
      { is: 'running', containerId: 'c', startedAt: 60 } as const,
      'running',
      ['report-started', 'supervise'],
    ],
    [
      'it ended meanwhile',
      { status: 'running', containerId: 'c', startedAt: 60 } as const,
      { is: 'exited', containerId: 'c', startedAt: 60, exit } as const,
      'running',
      ['report-started', 'supervise'],
    ],
    [
      'it is gone',
      { status: 'running', containerId: 'c', startedAt: 60 } as const,
      { is: 'absent' } as const,
      'collecting',
      ['collect'],
    ],
    [
      'it was being stopped',
      { status: 'stopping', containerId: 'c', startedAt: 60, ending: cancelled, killed: true } as const,
      { is: 'running', containerId: 'c', startedAt: 60 } as const,
      'stopping',
      ['report-started', 'supervise', 'stop'],
    ],
    [
      'its end was being called off',
      { status: 'creating', ending: cancelled } as const,
      { is: 'absent' } as const,
      'collecting',
      ['collect'],
    ],
    [
      'only the report was open',
      { status: 'collecting', result: { outcome: 'exited', message: '', finishedAt: 1 }, collected: true } as const,
      { is: 'absent' } as const,
      'collecting',
      ['report-exited'],
    ],
  ])('%s', (_, state, observed, status, effects) => {
    const next = resume(state, observed, 100);
    expect(next.state.status).toBe(status);
    expect(types(next.effects)).toEqual(effects);
  });

  it('a cancel that was asked for before the restart is still the reason', () => {
    const { state } = resume(
      { status: 'stopping', containerId: 'c', startedAt: 60, ending: cancelled, killed: false },
      { is: 'exited', containerId: 'c', startedAt: 60, exit },
      100,
    );
    expect(resultOf(step(state, { type: 'exited', exit }).state)).toMatchObject({ outcome: 'cancelled', exitCode: 4 });
  });
});
