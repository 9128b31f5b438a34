import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import { type TaskSpecInput, taskSpecSchema } from '@gantry/contracts/tasks/task-spec';
import { describe, expect, it } from 'vitest';
import { readEnvironment } from '../../environment.js';
import { SimulatedRuntime } from './simulated-runtime.js';

const assignment = (spec: Partial<TaskSpecInput>): AssignEventData<'TaskAssigned'> => ({
  taskId: 't',
  attempt: 1,
  ownerId: 'ada',
  spec: taskSpecSchema.parse({ name: 'n', image: 'none', queue: 'simulated', ...spec }),
  workerId: 'w',
  workerName: 'w',
  gpuIds: [],
  leaseMs: 60_000,
  assignedAt: 0,
});
const { signal } = new AbortController();

async function started(spec: Partial<TaskSpecInput>): Promise<{ runtime: SimulatedRuntime; id: string }> {
  const runtime = new SimulatedRuntime();
  const id = await runtime.create(assignment(spec));
  await runtime.start(id);
  return { runtime, id };
}

describe('SimulatedRuntime', () => {
  it('ends after the declared time with the declared code, and says in the log that nothing ran', async () => {
    const { runtime, id } = await started({ labels: { 'simulated-ms': '30', 'simulated-exit-code': '3' } });
    const begun = performance.now();
    const lines: string[] = [];
    await runtime.followLogs(id, undefined, {
      write: (more) => void lines.push(...more.map(({ text }) => text)),
      system: () => Promise.resolve(),
      mark: () => Promise.resolve(),
      keptCursor: () => ({}),
    });
    expect(await runtime.wait(id, signal)).toMatchObject({ exitCode: 3, oomKilled: false });
    expect(performance.now() - begun).toBeGreaterThan(25);
    expect(lines).toEqual(['Simulated: nothing runs. It ends after 30 ms with code 3.']);
    expect(id).toBe('simulated-t-1');
  });

  it('stops when it is told to', async () => {
    const { runtime, id } = await started({ labels: { 'simulated-ms': '600000' } });
    await runtime.signal(id, 'SIGTERM');
    expect(await runtime.wait(id, signal)).toMatchObject({ exitCode: 143 });
  });

  it('refuses a task that did not ask to be simulated, and labels that are no numbers', async () => {
    const runtime = new SimulatedRuntime();
    await expect(runtime.create(assignment({ queue: 'default' }))).rejects.toThrow('This worker only simulates.');
    await expect(runtime.create(assignment({ labels: { 'simulated-ms': 'soon' } }))).rejects.toThrow('must be numbers');
  });

  it('is what the worker says it is, whatever queues and labels it was given', () => {
    const environment = readEnvironment({
      GANTRY_WORKER_RUNTIME: 'simulated',
      GANTRY_WORKER_QUEUES: 'default,gpu',
      GANTRY_WORKER_LABELS: 'zone=eu,simulated=false',
    });
    expect(environment.GANTRY_WORKER_QUEUES).toEqual(['simulated']);
    expect(environment.GANTRY_WORKER_LABELS).toEqual({ zone: 'eu', simulated: 'true' });
    expect(readEnvironment({ GANTRY_WORKER_QUEUES: 'gpu' }).GANTRY_WORKER_QUEUES).toEqual(['gpu']);
  });
});
