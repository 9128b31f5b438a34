import { describe, expect, it } from 'vitest';
import { planFaults, type PlanRequest } from './fault-plan.js';

const request: PlanRequest = {
  seed: 42,
  faults: 400,
  spacing: 5_000,
  leaseMs: 15_000,
  services: ['auth', 'tasks'],
  agents: ['agent-1', 'agent-2'],
};

describe('the plan of faults', () => {
  it('is the same for the same seed and another for another', () => {
    expect(planFaults(request)).toEqual(planFaults(request));
    expect(planFaults({ ...request, seed: 43 })).not.toEqual(planFaults(request));
  });

  it('has every kind, both kinds of cuts, and faults shorter and longer than the lease', () => {
    const plan = planFaults(request);
    expect(plan).toHaveLength(400);
    expect(new Set(plan.map(({ kind }) => kind))).toEqual(
      new Set(['kill', 'freeze', 'cut', 'fill', 'clock', 'kill-all']),
    );
    const cuts = plan.filter(({ kind }) => kind === 'cut');
    expect(new Set(cuts.map(({ how }) => how))).toEqual(new Set(['link', 'silence']));
    for (const kind of ['freeze', 'cut']) {
      const durations = plan.filter((fault) => fault.kind === kind).map(({ duration }) => duration);
      expect(Math.min(...durations)).toBeLessThan(4_001);
      expect(Math.max(...durations)).toBeGreaterThan(16_999);
    }
  });

  it('freezes services, and nothing else, for longer than ended tasks stay in TASKS', () => {
    const away = ({ brief = false }) =>
      planFaults({ ...request, brief, kinds: ['freeze'] }).filter(({ duration }) => duration > 65_000);
    expect(new Set(away({}).map(({ target }) => target))).toEqual(new Set(request.services));
    expect(away({ brief: true })).toEqual([]);
  });

  it('sets clocks forward and back, by seconds and by hours, of running parts and between restarts', () => {
    const clocks = planFaults(request).filter(({ kind }) => kind === 'clock');
    expect(new Set(clocks.map(({ how }) => how))).toEqual(new Set(['running', 'restart']));
    expect(new Set(clocks.map(({ step }) => step))).toEqual(new Set([5, 60, 600, 7_200, -5, -60, -600, -7_200]));
    expect(clocks.map(({ target }) => target)).toEqual(expect.arrayContaining(['clock of tasks', 'clock of agent-1']));
    expect(clocks.every(({ duration }) => duration > 0)).toBe(true);
  });

  it('kills agents, and their lease keepers alone', () => {
    const targets = planFaults({ ...request, kinds: ['kill'] }).map(({ target }) => target);
    expect(targets).toEqual(expect.arrayContaining(['agent-1', 'agent-1-keeper', 'agent-2-keeper', 'docker']));
  });

  it('comes in order, about as often as asked for, and never twice at once to one target', () => {
    const plan = planFaults(request);
    const free = new Map<string, number>();
    let before = 0;
    for (const { at, target, duration } of plan) {
      expect(at).toBeGreaterThanOrEqual(before);
      expect(at).toBeGreaterThan(free.get(target) ?? -1);
      free.set(target, at + duration);
      before = at;
    }
    expect(before / plan.length).toBeGreaterThan(4_000);
    expect(before / plan.length).toBeLessThan(9_000);
  });

  it('keeps to the kinds that are asked for', () => {
    const plan = planFaults({ ...request, kinds: ['cut'] });
    expect(new Set(plan.map(({ kind }) => kind))).toEqual(new Set(['cut']));
  });
});
