import { describe, expect, it } from 'vitest';
import { planTasks } from './workload.js';

const request = { seed: 7, tasks: 2_000, over: 60_000, containers: 25, leaseMs: 15_000 };

describe('the plan of tasks', () => {
  it('is the same for the same seed and another for another', () => {
    expect(planTasks(request)).toEqual(planTasks(request));
    expect(planTasks({ ...request, seed: 8 }).map(({ kind }) => kind)).not.toEqual(
      planTasks(request).map(({ kind }) => kind),
    );
  });

  it('has every kind, keys of its own, and the asked share of containers', () => {
    const tasks = planTasks(request);
    expect(new Set(tasks.map(({ kind }) => kind))).toEqual(
      new Set([
        ...['quick', 'steady', 'stubborn', 'failing', 'cancelled', 'endless', 'filing', 'hungry', 'lasting'],
        ...['patient', 'networked'],
      ]),
    );
    expect(new Set(planTasks({ ...request, taskKinds: ['stubborn'] }).map(({ kind }) => kind))).toEqual(
      new Set(['stubborn']),
    );
    expect(new Set(tasks.map(({ key }) => key)).size).toBe(2_000);
    const containers = tasks.filter(({ queue }) => queue === 'containers').length;
    expect(containers).toBeGreaterThan(400);
    expect(containers).toBeLessThan(600);
    expect(tasks.filter(({ repeated }) => repeated).length).toBeGreaterThan(50);
  });

  it('has leases longer than the pool’s, and networks for containers only', () => {
    const tasks = planTasks(request);
    expect(new Set(tasks.map(({ leaseSeconds }) => leaseSeconds))).toEqual(new Set([undefined, 20, 45]));
    const networked = tasks.filter((task) => task.networked);
    expect(networked.length).toBeGreaterThan(10);
    expect(new Set(networked.map(({ queue }) => queue))).toEqual(new Set(['containers']));
  });
});
