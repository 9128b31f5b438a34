import { taskSpecSchema } from '@gantry/contracts/tasks/task-spec';
import { createLogger } from '@gantry/nest-platform/logger';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AttemptRecord } from './attempt-record.js';
import { OfflineLeaseGuard } from './offline-lease.guard.js';

class FakeRuntime {
  readonly signals: string[] = [];
  readonly broken = new Set<string>();

  async signal(containerId: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.signals.push(`${containerId} ${signal}`);
    if (this.broken.has(containerId)) throw new Error('the engine does not answer');
  }
}

class MemoryAttempts {
  readonly records = new Map<string, AttemptRecord>();

  attempts() {
    return [...this.records].map(([key, record]) => ({ key, record }));
  }

  saveAttempt(key: string, record: AttemptRecord): void {
    this.records.set(key, record);
  }
}

describe('a restarted agent without a broker', () => {
  const renewal = { at: 0, time: 0, isPatient: false, now: () => renewal.time };
  let runtime: FakeRuntime;
  let store: MemoryAttempts;
  let guard: OfflineLeaseGuard;

  const checkAt = async (time: number) => {
    renewal.time = time;
    await guard.check();
  };
  const running = (containerId: string, leaseMs: number, state?: AttemptRecord['state']) =>
    store.saveAttempt(containerId, {
      version: 1,
      assignment: {
        taskId: containerId,
        attempt: 1,
        ownerId: 'u',
        spec: taskSpecSchema.parse({ name: 't', image: 'i' }),
        workerId: 'w',
        workerName: 'w',
        gpuIds: [],
        leaseMs,
        assignedAt: 0,
      },
      state: state ?? { status: 'running', containerId, startedAt: 0 },
    });

  beforeEach(() => {
    renewal.isPatient = false;
    runtime = new FakeRuntime();
    store = new MemoryAttempts();
    guard = new OfflineLeaseGuard(store, runtime, renewal, createLogger('test', { level: 'silent', format: 'json' }));
  });

  it('stops, then kills a look before it would be too late, and writes down why', async () => {
    running('a', 15_000);
    running('b', 60_000);
    await checkAt(4_999);
    expect(runtime.signals).toEqual([]);
    await checkAt(5_400);
    expect(runtime.signals).toEqual(['a SIGTERM']);
    expect(store.records.get('a')?.state).toMatchObject({ status: 'stopping', ending: { cause: 'lease_over' } });
    await checkAt(11_400);
    expect(runtime.signals).toEqual(['a SIGTERM']);
    await checkAt(11_500);
    expect(runtime.signals).toEqual(['a SIGTERM', 'a SIGKILL']);
    expect(store.records.get('b')?.state.status).toBe('running');
  });

  it('stops what was being started when the agent died, because it may run', async () => {
    running('a', 15_000, { status: 'creating', containerId: 'a' });
    running('never-made', 15_000, { status: 'creating' });
    await checkAt(5_400);
    expect(runtime.signals).toEqual(['a SIGTERM']);
    expect(store.records.get('a')?.state).toMatchObject({ status: 'creating', ending: { cause: 'lease_over' } });
    await checkAt(11_500);
    expect(runtime.signals).toEqual(['a SIGTERM', 'a SIGKILL']);
  });

  it('kills at once what has no time left', async () => {
    running('a', 15_000);
    await checkAt(12_500);
    expect(runtime.signals).toEqual(['a SIGKILL']);
  });

  it('stops the others although one cannot be signalled', async () => {
    for (const id of ['a', 'b', 'c']) running(id, 15_000);
    runtime.broken.add('a');
    await checkAt(6_000);
    await checkAt(14_000);
    expect(runtime.signals).toEqual(['a SIGTERM', 'b SIGTERM', 'c SIGTERM', 'a SIGKILL', 'b SIGKILL', 'c SIGKILL']);
  });

  it('waits for the broker at first, but not beyond the end of the lease', async () => {
    running('a', 15_000);
    running('gone', 1_000);
    renewal.isPatient = true;
    await checkAt(6_000);
    expect(runtime.signals).toEqual([]);
    await checkAt(11_200);
    expect(runtime.signals).toEqual(['a SIGTERM']);
    renewal.isPatient = false;
    await checkAt(11_300);
    expect(runtime.signals).toContain('gone SIGKILL');
  });
});
