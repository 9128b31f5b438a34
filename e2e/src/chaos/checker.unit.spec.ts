import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { check } from './checker.js';
import type { DoneFault, HistoryEvent, Observations, ObservedTask, ObservedWorker } from './observations.js';
import { parseBeats } from './witness.js';
import { planTasks, type PlannedTask, type TaskKind } from './workload.js';

const ID = 'task-a';
const line = (attempt: number, n: number, kind: string, t: number): string =>
  `${ID} ${attempt} ${n} ${kind} ${t.toFixed(2)}`;

/** One task that lost its first worker and succeeded with its second attempt: everything about it is right. */
const lines = {
  first: [line(1, 1, 'begin', 10), line(1, 2, 'beat', 10.5)],
  second: [line(2, 1, 'begin', 30), line(2, 2, 'beat', 30.5), line(2, 3, 'end', 31)],
};

const events: readonly [type: string, data: object][] = [
  ['TaskSubmitted', {}],
  ['TaskAssigned', { attempt: 1, workerId: 'w1' }],
  ['TaskStarted', { attempt: 1 }],
  ['TaskRequeued', { endedAttempt: 1, nextAttempt: 2, failure: { class: 'infrastructure' }, usedRetry: false }],
  ['TaskAssigned', { attempt: 2, workerId: 'w2' }],
  ['TaskStarted', { attempt: 2 }],
  ['StaleReportIgnored', { attempt: 1 }],
  ['TaskSucceeded', { attempt: 2, exitCode: 0 }],
];

function historyOf(list: readonly (readonly [type: string, data: object])[]): HistoryEvent[] {
  return list.map(([type, data], index) => ({ version: index + 1, type, data }));
}

interface Change {
  readonly task?: Partial<ObservedTask>;
  readonly kind?: TaskKind;
  readonly queue?: PlannedTask['queue'];
  readonly leaseSeconds?: number;
  readonly ids?: readonly string[];
  readonly cancelledAt?: number;
  readonly listed?: readonly string[];
  readonly witness?: readonly string[];
  readonly workers?: readonly ObservedWorker[];
  readonly leftovers?: readonly string[];
  readonly faults?: readonly DoneFault[];
}

const idle: ObservedWorker = {
  id: 'w1',
  allocated: { cpu: 0, memoryMb: 0, storageMb: 0 },
  runningTasks: 0,
  allocatedGpus: 0,
};

function world(change: Change = {}): Observations {
  const [some] = planTasks({ seed: 1, tasks: 1, over: 0, containers: 100, leaseMs: 15_000 });
  if (some === undefined) throw new Error('no plan');
  const planned: PlannedTask = {
    ...some,
    kind: change.kind ?? 'steady',
    queue: change.queue ?? 'containers',
    retries: change.kind === 'failing' ? 1 : 0,
    ...(change.leaseSeconds === undefined ? {} : { leaseSeconds: change.leaseSeconds }),
  };
  const task: ObservedTask = {
    id: ID,
    status: 'succeeded',
    attempt: 2,
    exitCode: 0,
    failureClass: null,
    artifacts: [],
    history: historyOf(events),
    logs: new Map([
      [1, lines.first],
      [2, lines.second],
    ]),
    ...change.task,
  };
  return {
    submissions: [
      {
        planned,
        ids: change.ids ?? [ID],
        ...(change.cancelledAt === undefined ? {} : { cancelledAt: change.cancelledAt }),
      },
    ],
    listed: change.listed ?? [ID],
    tasks: [task],
    workers: change.workers ?? [idle],
    witness: new Map([[ID, parseBeats((change.witness ?? [...lines.first, ...lines.second]).join('\n'))]]),
    leftovers: change.leftovers ?? [],
    faults: change.faults ?? [],
  };
}

const broken = (change: Change): string[] => check(world(change)).violations.map(({ rule }) => rule);
const logsWithout = (gone: string): Pick<ObservedTask, 'logs'> => ({
  logs: new Map([
    [1, lines.first.filter((text) => text !== gone)],
    [2, lines.second.filter((text) => text !== gone)],
  ]),
});

describe('the checker', () => {
  it('finds nothing where everything is right, and says how much it looked at', () => {
    expect(check(world())).toEqual({
      violations: [],
      excused: [],
      looked: { tasks: 1, events: 8, witnessLines: 5, attempts: 2, secondAttempts: 1 },
    });
  });

  it('sees two attempts at once', () => {
    const late = line(1, 3, 'beat', 30.2);
    const logs = new Map([
      [1, [...lines.first, late]],
      [2, lines.second],
    ]);
    expect(broken({ witness: [...lines.first, late, ...lines.second], task: { logs } })).toEqual(['no-overlap']);
  });

  it('excuses two at once for nothing, whoever was dead or frozen', () => {
    const faults: DoneFault[] = ['agent-1', 'docker'].flatMap((target) =>
      ['kill', 'freeze', 'kill-all'].map((kind) => ({ kind, target, workerId: 'w1', from: 1, to: 60 })),
    );
    expect(broken({ witness: [...lines.first, line(1, 3, 'beat', 30.2), ...lines.second], faults })).toContain(
      'no-overlap',
    );
  });

  it('sees what runs on after it was called cancelled', () => {
    const cancelled: Change = {
      kind: 'cancelled',
      task: {
        status: 'cancelled',
        exitCode: null,
        history: historyOf([...events.slice(0, -1), ['TaskCancelled', { attempt: 2 }]]),
      },
    };
    expect(broken({ ...cancelled, cancelledAt: 31 })).toEqual([]);
    expect(broken({ ...cancelled, cancelledAt: 30.9 })).toEqual(['cancelled-is-gone']);
  });

  it('sees one attempt that ran twice', () => {
    const again = line(2, 1, 'begin', 32);
    const logs = new Map([
      [1, lines.first],
      [2, [...lines.second, again]],
    ]);
    expect(broken({ witness: [...lines.first, ...lines.second, again], task: { logs } })).toEqual([
      'attempt-runs-once',
    ]);
  });

  it('sees an attempt that nobody assigned', () => {
    expect(broken({ witness: [...lines.first, ...lines.second, line(3, 1, 'begin', 40)] })).toContain(
      'run-was-assigned',
    );
  });

  it('sees a task without an end, with two, and with a life after it', () => {
    expect(broken({ task: { history: historyOf(events.slice(0, -1)) } })).toContain('one-terminal-state');
    const end = ['TaskCancelled', { attempt: 2 }] as const;
    expect(broken({ task: { history: historyOf([...events, end]) } })).toContain('one-terminal-state');
    const revived = ['TaskStarted', { attempt: 2 }] as const;
    expect(broken({ task: { history: historyOf([...events, revived]) } })).toContain('one-terminal-state');
  });

  it('sees an API that says something else than the history', () => {
    expect(broken({ task: { attempt: 1 } })).toEqual(['history-folds']);
    expect(broken({ task: { exitCode: 1 } })).toContain('history-folds');
  });

  it('sees a gap in the history', () => {
    const history = historyOf(events).map((event) => ({
      ...event,
      version: event.version + (event.version > 4 ? 1 : 0),
    }));
    expect(broken({ task: { history } })).toEqual(['history-complete']);
  });

  it('sees an end that the kind of task cannot have', () => {
    expect(broken({ kind: 'failing' })).toEqual(['outcome']);
  });

  it('accepts that a task is given up after ten lost attempts, but not earlier', () => {
    const lost = (times: number): ObservedTask['history'] =>
      historyOf([
        ['TaskSubmitted', {}],
        ...Array.from({ length: times }, (_, index) => [
          ['TaskAssigned', { attempt: index + 1, workerId: 'w1' }] as const,
          ['TaskRequeued', { nextAttempt: index + 2, failure: { class: 'infrastructure' }, usedRetry: false }] as const,
        ]).flat(),
        ['TaskAssigned', { attempt: times + 1, workerId: 'w1' }],
        ['TaskFailed', { attempt: times + 1, failure: { class: 'infrastructure' } }],
      ]);
    const given = (times: number): Change => ({
      witness: [],
      task: {
        status: 'failed',
        exitCode: null,
        failureClass: 'infrastructure',
        attempt: times + 1,
        history: lost(times),
      },
    });
    expect(broken(given(9))).toEqual([]);
    expect(broken(given(8))).toEqual(['outcome']);
  });

  describe('of a task that fails by itself and may be tried again once', () => {
    const own = { class: 'user_exit' };
    const lost = { class: 'infrastructure' };
    /** Its first attempt fails by itself, its second is lost, its third fails by itself: all is right. */
    const failing = (change: {
      readonly first?: object;
      readonly second?: object;
      readonly last?: object;
      readonly witness?: readonly string[];
    }): Change => {
      const witness = change.witness ?? [line(1, 1, 'end', 10), line(2, 1, 'begin', 20), line(3, 1, 'end', 30)];
      const attempts = [1, 2, 3].map((attempt) => ['TaskAssigned', { attempt, workerId: 'w1' }] as const);
      const requeued = (endedAttempt: number, data: object) =>
        ['TaskRequeued', { endedAttempt, nextAttempt: endedAttempt + 1, ...data }] as const;
      const last = { failure: own, exitCode: 3, ...change.last };
      return {
        kind: 'failing',
        witness,
        task: {
          status: 'failed',
          exitCode: last.exitCode,
          failureClass: last.failure.class,
          attempt: 3,
          logs: new Map(
            [1, 2, 3].map((attempt) => [attempt, witness.filter((text) => text.startsWith(`${ID} ${attempt}`))]),
          ),
          history: historyOf([
            ['TaskSubmitted', {}],
            ...attempts.slice(0, 1),
            requeued(1, { failure: own, exitCode: 3, usedRetry: true, ...change.first }),
            ...attempts.slice(1, 2),
            requeued(2, { failure: lost, usedRetry: false, ...change.second }),
            ...attempts.slice(2),
            ['TaskFailed', { attempt: 3, ...last }],
          ]),
        },
      };
    };

    it('accepts that it was tried again once for itself and once for a lost worker', () => {
      expect(broken(failing({}))).toEqual([]);
    });

    it('sees a lost worker that used its retry, and a failure of its own that used none', () => {
      expect(broken(failing({ second: { usedRetry: true } }))).toEqual(['retries-counted']);
      expect(broken(failing({ first: { usedRetry: false } }))).toEqual(['retries-counted']);
    });

    it('sees one retry too many, and one too few', () => {
      const witness = [1, 2, 3].map((attempt) => line(attempt, 1, 'end', attempt * 10));
      const again = { second: { failure: own, exitCode: 3, usedRetry: true }, witness };
      expect(broken(failing(again))).toEqual(['retries-counted']);
      expect(broken(failing({ first: { failure: lost, usedRetry: false } }))).toEqual(['retries-counted']);
    });

    it('sees a lost attempt that is told as a failure of its own', () => {
      const witness = [line(1, 1, 'begin', 10), line(2, 1, 'begin', 20), line(3, 1, 'end', 30)];
      expect(broken(failing({ witness }))).toEqual(['failure-is-real']);
      expect(broken(failing({ first: { exitCode: 137 } }))).toEqual(['failure-is-real']);
    });
  });

  it('sees an attempt with another lease than the task asks for', () => {
    const leased = (second: number): Change => ({
      kind: 'patient',
      leaseSeconds: 45,
      task: {
        history: historyOf(
          events.map(([type, data]) => {
            const { attempt } = data as { attempt?: number };
            return type === 'TaskAssigned'
              ? [type, { ...data, leaseMs: attempt === 2 ? second : 45_000 }]
              : [type, data];
          }),
        ),
      },
    });
    expect(broken(leased(45_000))).toEqual([]);
    expect(broken(leased(15_000))).toEqual(['lease-as-asked']);
  });

  it('sees a success that never reached its end', () => {
    expect(broken({ witness: [...lines.first, ...lines.second.slice(0, 2)] })).toEqual(['success-is-real']);
  });

  it('sees a missing and a damaged file', () => {
    const file = (sha256: string): Change => ({
      kind: 'filing',
      task: { artifacts: [{ attempt: 2, path: 'result.txt', sha256 }] },
    });
    expect(broken(file(createHash('sha256').update(`${ID}\n`).digest('hex')))).toEqual([]);
    expect(broken(file('00'))).toEqual(['files-kept']);
    expect(broken({ kind: 'filing' })).toEqual(['files-kept']);
  });

  it('sees keys that became two tasks, none, or share one, and tasks that nobody submitted', () => {
    expect(broken({ ids: [ID, 'task-b'], listed: [ID, 'task-b'] })).toContain('accepted-once');
    expect(broken({ listed: [] })).toEqual(['accepted-once']);
    expect(broken({ listed: [ID, 'stranger'] })).toEqual(['accepted-once']);
    expect(broken({ listed: [ID, ID] })).toEqual(['accepted-once']);
  });

  it('sees what is still held, and what is left on the machine', () => {
    expect(broken({ workers: [{ ...idle, allocated: { cpu: 0.2, memoryMb: 0, storageMb: 0 } }] })).toEqual([
      'resources-zero',
    ]);
    expect(broken({ workers: [{ ...idle, allocatedGpus: 1 }] })).toEqual(['resources-zero']);
    expect(broken({ workers: [] })).toEqual(['resources-zero']);
    expect(broken({ leftovers: ['container x'] })).toEqual(['nothing-left']);
  });

  it('sees lines that are missing, doubled or out of order in the log store', () => {
    expect(broken({ task: logsWithout(lines.second[1] ?? '') })).toEqual(['logs-complete']);
    const [one = '', two = '', three = ''] = lines.second;
    const stored = (second: string[]): Change => ({
      task: {
        logs: new Map([
          [1, lines.first],
          [2, second],
        ]),
      },
    });
    expect(broken(stored([one, two, two, three]))).toEqual(['logs-once']);
    expect(broken(stored([two, one, three]))).toContain('logs-in-order');
  });

  it('excuses a container’s line only around the kill of the engine, and counts it', () => {
    const gone = lines.first[1] ?? '';
    const kill = (from: number): DoneFault => ({ kind: 'kill', target: 'docker', from, to: from });
    const near = check(world({ task: logsWithout(gone), faults: [kill(11)] }));
    expect(near.violations).toEqual([]);
    expect(near.excused.map(({ text }) => text)).toEqual([gone]);
    expect(broken({ task: logsWithout(gone), faults: [kill(11.6)] })).toEqual(['logs-complete']);
    expect(broken({ task: logsWithout(gone), faults: [{ ...kill(11), kind: 'freeze' }] })).toEqual(['logs-complete']);
    expect(broken({ task: logsWithout(gone), faults: [{ ...kill(10.2), to: 12 }] })).toEqual([]);
    // What was written later was read, so this was read too.
    expect(broken({ task: logsWithout(lines.first[0] ?? ''), faults: [{ ...kill(9), to: 12 }] })).toEqual([
      'logs-complete',
    ]);
    // It was still there when the engine came back, and the engine reads on.
    expect(broken({ task: logsWithout(gone), faults: [{ ...kill(10.2), to: 10.49 }] })).toEqual(['logs-complete']);
  });

  it('excuses the lines of a lost attempt of which the engine was killed before it had written down the start', () => {
    const kill = (from: number): DoneFault => ({ kind: 'kill-all', target: 'all', from, to: from + 0.1 });
    const logs = (first: string[], second: string[]): Pick<ObservedTask, 'logs'> => ({
      logs: new Map([
        [1, first],
        [2, second],
      ]),
    });
    const unknown = check(world({ task: logs([], lines.second), faults: [kill(10.2)] }));
    expect(unknown.violations).toEqual([]);
    expect(unknown.excused.map(({ text }) => text)).toEqual(lines.first);
    // An engine that was killed later has written it down; one that has a line has read on; and what counts has its lines.
    expect(broken({ task: logs([], lines.second), faults: [kill(11.1)] })).toEqual(['logs-complete']);
    expect(broken({ task: logs(lines.first.slice(0, 1), lines.second), faults: [kill(10.2)] })).toEqual([
      'logs-complete',
    ]);
    expect(broken({ task: logs(lines.first, []), faults: [kill(30.2)] })).toEqual(['logs-complete', 'logs-complete']);
  });

  it('excuses no line of a sandbox, whoever was killed', () => {
    const task = logsWithout(lines.first[1] ?? '');
    for (const kind of ['kill', 'kill-all', 'freeze', 'cut'])
      for (const target of ['agent-1', 'docker', 'nats', 'all']) {
        const faults: DoneFault[] = [{ kind, target, workerId: 'w1', from: 10.6, to: 12 }];
        expect(broken({ queue: 'processes', task, faults })).toEqual(['logs-complete']);
      }
  });
});

describe('the witness', () => {
  it('takes whole lines only', () => {
    const whole = line(1, 1, 'begin', 1);
    expect(parseBeats(`${whole}\n${whole.slice(0, 9)}`).map(({ text }) => text)).toEqual([whole]);
  });
});
