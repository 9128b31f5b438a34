/**
 * Decisions per second of the pure placement core: 5,000 workers of mixed kinds, 100,000 queued tasks of mixed shapes.
 * `fill`: from empty until nothing fits. `steady`: tasks end in batches and the freed room is filled again.
 * `perCpuSecond` counts CPU time of this process, which is what a busy machine leaves comparable; the others are wall clock.
 * Run after a build: node services/scheduler/bench/placement.bench.mjs [--distinct: every task a shape of its own]
 * [--workers N] [--queued N] [--steady N: decisions] [--batch N: tasks that end together] [--policies a,b].
 */
import { parseArgs } from 'node:util';
import { PlacementEngine } from '../dist/domain/placement/placement-engine.js';
import { shapeOf } from '../dist/domain/placement/shape.js';

const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '5000' },
    queued: { type: 'string', default: '100000' },
    steady: { type: 'string', default: '100000' },
    batch: { type: 'string', default: '50' },
    policies: { type: 'string', default: 'bin-pack,spread,round-robin' },
    distinct: { type: 'boolean', default: false },
  },
});
const [WORKERS, QUEUED, STEADY_DECISIONS, BATCH] = [values.workers, values.queued, values.steady, values.batch].map(
  Number,
);
const { distinct } = values;

let seed = 42;
function random(limit) {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * limit);
}
const pick = (items) => items[random(items.length)];

const MODELS = [
  ['NVIDIA A100-SXM4-40GB', 40_960],
  ['NVIDIA H100 80GB HBM3', 81_920],
  ['NVIDIA L4', 23_034],
  ['Tesla T4', 15_360],
];
const IMAGES = Array.from({ length: 50 }, (_, index) => `registry.example/app-${index}:1`);

function workerSpec(index) {
  const gpus = index % 3 === 0 ? pick([4, 8]) : 0;
  const [model, memoryMb] = pick(MODELS);
  const cpu = gpus > 0 ? pick([64, 128]) : pick([16, 32, 64, 96]);
  return {
    name: `worker-${index}`,
    hostname: `host-${index}`,
    address: '10.0.0.1',
    os: 'linux',
    agentVersion: '1',
    runtime: 'docker',
    runtimeVersion: '27',
    capacity: { cpu, memoryMb: cpu * 4_096, storageMb: 1_000_000 },
    gpus: Array.from({ length: gpus }, (_, gpu) => ({
      id: `GPU-${index}-${gpu}`,
      index: gpu,
      model,
      memoryMb,
      driver: '550',
    })),
    labels: { zone: pick(['a', 'b', 'c']), provider: pick(['aws', 'azure', 'on-prem']) },
    queues: index % 10 === 0 ? ['batch'] : [],
    images: Array.from({ length: 10 }, () => pick(IMAGES)),
    maxTasks: 64,
  };
}

function taskOf(index, avoid) {
  const gpu = random(10) < 4;
  const cpu = distinct ? 0.5 + random(1_600) / 100 : gpu ? pick([2, 4, 8, 16]) : pick([0.5, 1, 2, 4, 8, 16]);
  const demand = gpu
    ? pick([
        { count: 1 },
        { count: 1, memoryMb: 40_000 },
        { count: 2, model: 'a100' },
        { count: 4 },
        { count: 8, model: 'H100' },
      ])
    : { count: 0 };
  const shape = shapeOf({
    resources: {
      cpu,
      memoryMb: distinct ? 256 + random(60_000) : cpu * pick([512, 2_048, 4_096]),
      storageMb: 1_024,
      gpu: demand,
    },
    workerLabels: random(10) === 0 ? { zone: pick(['a', 'b', 'c']) } : {},
    queue: pick(['default', 'default', 'batch', 'web']),
  });
  return {
    taskId: `task-${index}`,
    shape,
    priority: random(5) - 2,
    order: index,
    image: pick(IMAGES),
    avoidWorkerId: avoid,
  };
}

function measure(policy) {
  seed = 42;
  const engine = new PlacementEngine({ default: policy, queues: {} });
  for (let index = 0; index < WORKERS; index += 1) engine.putWorker(`worker-${index}`, workerSpec(index), true);
  let submitted = 0;
  const submit = () => engine.waiting.add(taskOf(submitted++));
  const began = performance.now();
  while (engine.waiting.size < QUEUED) submit();
  const queuedMs = performance.now() - began;

  const running = [];
  let started = performance.now();
  let cpu = process.cpuUsage();
  const cpuSeconds = () => ((cpu = process.cpuUsage(cpu)), (cpu.user + cpu.system) / 1e6);
  let filled = 0;
  let longestMs = 0;
  for (;;) {
    const at = performance.now();
    const decisions = engine.decide(1_000, () => 1);
    longestMs = Math.max(longestMs, performance.now() - at);
    if (decisions.length === 0 && !engine.hasReady) break;
    filled += decisions.length;
    for (const decision of decisions) running.push(decision.taskId);
  }
  const fillMs = performance.now() - started;
  const fillCpu = cpuSeconds();
  while (engine.waiting.size < QUEUED) submit();
  while (engine.hasReady) for (const decision of engine.decide(1_000, () => 1)) running.push(decision.taskId);

  let steady = 0;
  let passes = 0;
  let steadyMs = 0;
  let steadyCpu = 0;
  while (steady < STEADY_DECISIONS && passes < 20_000) {
    const ended = [];
    for (let index = 0; index < BATCH && running.length > 0; index += 1) {
      const at = random(running.length);
      ended.push(running[at]);
      running[at] = running[running.length - 1];
      running.pop();
    }
    started = performance.now();
    cpu = process.cpuUsage();
    for (const taskId of ended) engine.release(taskId, 1);
    const decisions = [];
    do decisions.push(...engine.decide(1_000, () => 1));
    while (engine.hasReady);
    steadyMs += performance.now() - started;
    steadyCpu += cpuSeconds();
    steady += decisions.length;
    passes += 1;
    for (const decision of decisions) running.push(decision.taskId);
    while (engine.waiting.size < QUEUED) submit();
    if (decisions.length === 0 && running.length === 0) break;
  }
  return {
    policy,
    workers: WORKERS,
    queued: QUEUED,
    shapes: distinct ? 'all distinct' : 'mixed',
    queueInsertPerSecond: Math.round((QUEUED / queuedMs) * 1_000),
    fillDecisions: filled,
    fillPerSecond: Math.round((filled / fillMs) * 1_000),
    fillPerCpuSecond: Math.round(filled / fillCpu),
    longestPassMs: Math.round(longestMs * 10) / 10,
    steadyDecisions: steady,
    steadyPerSecond: Math.round((steady / steadyMs) * 1_000),
    steadyPerCpuSecond: Math.round(steady / steadyCpu),
    steadyPassMs: Math.round((steadyMs / passes) * 100) / 100,
  };
}

for (const policy of values.policies.split(',')) process.stdout.write(`${JSON.stringify(measure(policy))}\n`);
