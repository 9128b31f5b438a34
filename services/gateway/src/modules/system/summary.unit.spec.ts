import { expect, it } from 'vitest';
import { mergeSummary } from './summary.js';
import { overall } from './system-health.js';

const none = { queued: 0, assigned: 0, starting: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0, timed_out: 0 };
const history = {
  total: 9,
  last24h: 4,
  byStatus: { ...none, running: 5, succeeded: 100 },
  perHour: [],
  averageDurationSeconds: 2,
};

it('counts active tasks exactly and ended ones completely', () => {
  const summary = mergeSummary({ ...none, running: 1, succeeded: 3, failed: 2 }, history, [
    { status: 'active' },
    { status: 'lost' },
  ]);
  expect(summary).toMatchObject({ total: 103, last24h: 4, activeWorkers: 1, totalWorkers: 2, degraded: false });
  expect(Object.fromEntries(summary.byStatus.map(({ status, count }) => [status, count]))).toMatchObject({
    running: 1,
    succeeded: 100,
    failed: 2,
  });
});

it('goes on with what is left, and says so', () => {
  expect(mergeSummary({ ...none, running: 1 }, undefined, [])).toMatchObject({ total: 1, degraded: true });
  expect(mergeSummary(undefined, history, [])).toMatchObject({ total: 105, degraded: true });
});

it('is unhealthy only without a vital part', () => {
  const well = { status: 'healthy' as const };
  expect(overall([{ service: 'tasks', ...well }])).toBe('healthy');
  expect(
    overall([
      { service: 'tasks', ...well },
      { service: 'telemetry', status: 'unhealthy' },
    ]),
  ).toBe('degraded');
  expect(overall([{ service: 'tasks', status: 'unhealthy' }])).toBe('unhealthy');
  expect(overall([{ service: 'tasks', status: 'degraded' }])).toBe('degraded');
});
