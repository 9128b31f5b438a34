import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ModelledWorld } from '../../testing/modelled-world.js';

type Command = fc.Command<object, ModelledWorld>;

/** Held after every step, whatever came before. */
function check(world: ModelledWorld): void {
  const runners = new Map<string, string[]>();
  for (const { workerId, running } of world.agents)
    for (const [taskId, attempt] of running)
      runners.set(taskId, [...(runners.get(taskId) ?? []), `${workerId}#${attempt}`]);
  for (const [taskId, by] of runners) {
    expect(by, `${taskId} runs once`).toHaveLength(1);
    expect(world.tasks.get(taskId)?.ended, `${taskId} is not told as cancelled while it runs`).not.toBe('cancelled');
  }
  for (const { workerId } of world.agents) {
    const { cpuCenti, tasks } = world.cluster.engine.ledger.totals(workerId);
    expect(cpuCenti).toBeGreaterThanOrEqual(0);
    expect(tasks).toBeGreaterThanOrEqual(0);
  }
}

function step(name: string, run: (world: ModelledWorld) => void): Command {
  return {
    check: () => true,
    run: (_model, world) => {
      run(world);
      check(world);
    },
    toString: () => name,
  };
}

const often = (one: fc.Arbitrary<Command>): fc.Arbitrary<Command>[] => [one, one, one, one];
const worker = fc.nat(2);
const count = fc.integer({ min: 1, max: 4 });
const onAgent = (name: string, run: (world: ModelledWorld, agent: ModelledWorld['agents'][number]) => void) =>
  worker.map((index) => step(`${name} w${index}`, (world) => run(world, world.agents[index]!)));

const commands = [
  fc.constantFrom(0.5, 1, 2).map((cpu) => step(`submit ${cpu}`, (world) => world.submit(cpu))),
  fc.nat(20).map((index) => step(`cancel t${index}`, (world) => world.requestCancel(`t${index}`))),
  onAgent('cancel on', (world, agent) => world.cancelRunning(agent)),
  onAgent('beat', (world, agent) => world.beat(agent)),
  onAgent('hear', (world, agent) => world.hear(agent.workerId)),
  onAgent('read', (world, agent) => agent.read(world.now)),
  onAgent('reports of', (world, agent) => world.recordReports(agent)),
  onAgent('cut off', (_world, agent) => {
    agent.connected = false;
  }),
  onAgent('connect', (_world, agent) => {
    agent.connected = true;
  }),
  onAgent('finish on', (_world, agent) => {
    const [taskId] = agent.running.keys();
    if (taskId !== undefined) agent.end(taskId, 'succeeded');
  }),
  fc
    .tuple(count, fc.nat(3))
    .map(([many, again]) => step(`tasks ${many} again ${again}`, (world) => world.showTasks(many, again))),
  fc
    .tuple(count, fc.nat(3))
    .map(([many, again]) => step(`assignments ${many} again ${again}`, (world) => world.showAssignments(many, again))),
  count.map((many) => step(`record ${many}`, (world) => world.recordAssignments(many))),
  fc.constant(step('decide', (world) => world.decide())),
  fc
    .tuple(count, fc.constantFrom(0, 0, 1, 2))
    .map(([many, refused]) => step(`arrive ${many}, refused ${refused}`, (world) => world.arrive(many, refused))),
  // Rounds of parts that work, so that histories get as far as a second and third attempt.
  ...often(fc.constant(step('agents live', (world) => world.agentsLive()))),
  ...often(fc.constant(step('scheduler works', (world) => world.schedulerWorks()))),
  fc.constant(step('sweep', (world) => world.sweep())),
  fc.constant(step('record losses', (world) => world.recordLosses())),
  fc.constant(step('take over', (world) => world.takeOver())),
  fc.constant(step('lead again', (world) => world.leadAgain())),
  ...often(
    fc
      .constantFrom(100, 5_000, 20_000, 20_000, 62_000)
      .map((time) => step(`pass ${time}`, (world) => world.pass(time))),
  ),
];

it('runs no task twice at once and brings every task to one end, in any order of what the broker delivers', () => {
  let placed = 0;
  let tookOver = 0;
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 120, size: 'max' }), (steps) => {
      const world = new ModelledWorld();
      // A fleet and a few tasks to begin with, so that short histories meet something.
      for (const agent of world.agents) {
        world.beat(agent);
        world.hear(agent.workerId);
      }
      for (const cpu of [1, 2, 1]) world.submit(cpu);
      world.showTasks(3);
      world.decide();
      world.arrive(3);
      fc.modelRun(() => ({ model: {}, real: world }), steps);
      if ([...steps].some((one) => String(one) === 'take over')) tookOver += 1;
      world.reachCancelled();
      for (const [taskId, { cancelRequested, ended }] of world.tasks)
        if (cancelRequested) expect(ended, `${taskId} is over after its cancellation`).toBeDefined();
      world.settle();
      for (const [taskId, { ended, attempt }] of world.tasks) {
        expect(ended, `${taskId} ends`).toBeDefined();
        if (attempt > 1) placed += 1;
      }
      for (const { workerId, running } of world.agents) {
        expect(running.size).toBe(0);
        expect(world.cluster.engine.ledger.totals(workerId)).toMatchObject({ cpuCenti: 0, memoryMb: 0, tasks: 0 });
      }
      expect(world.cluster.board.size).toBe(0);
    }),
    { numRuns: 2_000 },
  );
  // The histories are worth something only if tasks were placed again and leaders changed in them.
  expect(placed).toBeGreaterThan(100);
  expect(tookOver).toBeGreaterThan(100);
}, 120_000);
