import { rmSync } from 'node:fs';
import type { ReportBody } from '@gantry/contracts/agents/report';
import { eventually } from '@gantry/testing/eventually';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SimulatedRuntime } from '../runtime/simulated/simulated-runtime.js';
import { logInto, runnerParts, simulatedAssignment } from '../testing/runner-parts.fixture.js';
import { AttemptBoard } from './attempt-board.js';

const punctual = { unreadMs: 0, longestGapMs: 0 };
const LEASE_MS = 60_000;

describe('a renewal that comes after the end of the lease', () => {
  let folder: string;
  let reports: ReportBody[];
  let done: string[];

  beforeEach(() => {
    folder = temporaryFolder('gantry-board');
    reports = [];
    done = [];
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function board(runtime: SimulatedRuntime): AttemptBoard {
    const onDone = (key: string): void => void done.push(key);
    const parts = runnerParts(folder, reports, { runtime, openLog: () => logInto([]), onDone: () => undefined });
    return new AttemptBoard({ parts, refuse: () => undefined, onDone });
  }

  const give = (to: AttemptBoard, taskId: string): void =>
    to.apply([{ type: 'TaskAssigned', data: simulatedAssignment(600_000, 0, taskId) }], punctual);

  it('is too late for what was not started by then', async () => {
    const runtime = new SimulatedRuntime();
    let create: () => void = () => undefined;
    const make = runtime.create.bind(runtime);
    runtime.create = async (assignment) => {
      await new Promise<void>((resolve) => (create = resolve));
      return make(assignment);
    };
    let starts = 0;
    const start = runtime.start.bind(runtime);
    runtime.start = (id) => {
      starts += 1;
      return start(id);
    };
    const attempts = board(runtime);
    give(attempts, 'late');
    await eventually(() => expect(attempts.running()).toMatchObject([{ phase: 'creating' }]));
    attempts.endLapsed({ at: 0, now: LEASE_MS - 3_001 });
    expect(reports.filter(({ type }) => type === 'exited')).toEqual([]);
    attempts.endLapsed({ at: 0, now: LEASE_MS });
    create();
    await eventually(() => expect(done).toEqual(['late.1']));
    expect(starts).toBe(0);
    expect(reports.find(({ type }) => type === 'exited')).toMatchObject({ outcome: 'infrastructure_error' });
  });

  it('leaves alone what runs: if it was placed again, its worker is told so', async () => {
    const attempts = board(new SimulatedRuntime());
    give(attempts, 'runs');
    await eventually(() => expect(attempts.running()).toMatchObject([{ phase: 'running' }]));
    attempts.endLapsed({ at: 0, now: 10 * LEASE_MS });
    expect(attempts.running()).toMatchObject([{ taskId: 'runs', phase: 'running' }]);
    attempts.endAll({ cause: 'agent_stopping', graceMs: 0 });
  });
});
