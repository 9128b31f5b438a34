import { describe, expect, it } from 'vitest';
import { gpus, queued, workerSpec } from '../../testing/samples.js';
import { PlacementEngine } from './placement-engine.js';
import type { PolicyName } from './placement-policy.js';

function engineWith(
  policy: PolicyName,
  workers: Record<string, Parameters<typeof workerSpec>[0]>,
  queues: Record<string, PolicyName> = {},
) {
  const engine = new PlacementEngine({ default: policy, queues });
  for (const [workerId, over] of Object.entries(workers))
    engine.putWorker(workerId, workerSpec({ name: workerId, ...over }), true);
  return engine;
}

function submit(engine: PlacementEngine, count: number, over: Parameters<typeof queued>[1] = {}, prefix = 't') {
  for (let index = 0; index < count; index += 1) engine.waiting.add(queued(`${prefix}${index}`, over, index + 1));
}

const places = (engine: PlacementEngine) =>
  engine.decide(1_000, () => 1).map(({ taskId, workerId }) => `${taskId}:${workerId}`);

describe('bin-pack', () => {
  it('fills one worker before it opens the next', () => {
    const engine = engineWith('bin-pack', { a: {}, b: {} });
    submit(engine, 6);
    expect(places(engine)).toEqual(['t0:a', 't1:a', 't2:a', 't3:a', 't4:b', 't5:b']);
  });

  it('keeps machines with GPUs for tasks that need them', () => {
    const engine = engineWith('bin-pack', { a: { gpus: gpus(2) }, b: {} });
    submit(engine, 1);
    expect(places(engine)).toEqual(['t0:b']);
  });

  it('prefers the worker that has the image among equally full ones', () => {
    const engine = engineWith('bin-pack', { a: {}, b: { images: ['busybox:latest'] } });
    submit(engine, 1);
    expect(places(engine)).toEqual(['t0:b']);
  });

  it('chooses the same for few and for many candidates', () => {
    const workers = Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [`w${index}`, { images: index === 250 ? ['busybox:latest'] : [] }]),
    );
    const engine = engineWith('bin-pack', workers);
    submit(engine, 2);
    expect(places(engine)).toEqual(['t0:w250', 't1:w250']);
  });
});

describe('spread', () => {
  it('gives the emptiest worker the next task', () => {
    const engine = engineWith('spread', { a: {}, b: {}, c: {} });
    submit(engine, 4);
    expect(places(engine)).toEqual(['t0:a', 't1:b', 't2:c', 't3:a']);
  });

  it('does so with more workers than it compares one by one', () => {
    const engine = engineWith(
      'spread',
      Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`w${index}`, {}])),
    );
    submit(engine, 400, { resources: { cpu: 1, memoryMb: 64, storageMb: 0, gpu: { count: 0 } } });
    const perWorker = new Map<string, number>();
    for (const { workerId } of engine.decide(1_000, () => 1))
      perWorker.set(workerId, (perWorker.get(workerId) ?? 0) + 1);
    expect([...perWorker.values()].every((count) => count === 2)).toBe(true);
    expect(perWorker.size).toBe(200);
  });
});

describe('round-robin', () => {
  it('goes round the workers, per queue', () => {
    const engine = engineWith('bin-pack', { a: {}, b: {}, c: {} }, { web: 'round-robin' });
    submit(engine, 4, { queue: 'web' });
    submit(engine, 1, {}, 'd');
    expect(places(engine)).toEqual(['d0:a', 't0:a', 't1:b', 't2:c', 't3:a']);
  });
});

describe('order and fit', () => {
  it('places by priority, then by submission, and skips what does not fit', () => {
    const engine = engineWith('bin-pack', { a: { capacity: { cpu: 2, memoryMb: 8_192, storageMb: 100_000 } } });
    engine.waiting.add(queued('old', {}, 1));
    engine.waiting.add(
      queued('huge', { priority: 9, resources: { cpu: 1_000, memoryMb: 64, storageMb: 0, gpu: { count: 0 } } }, 2),
    );
    engine.waiting.add(queued('urgent', { priority: 5 }, 3));
    engine.waiting.add(queued('late', {}, 4));
    expect(places(engine)).toEqual(['urgent:a', 'old:a']);
    engine.release('old', 1);
    expect(places(engine)).toEqual(['late:a']);
  });

  it('avoids the worker of the attempt before, unless there is no other', () => {
    const engine = engineWith('bin-pack', { a: {}, b: { capacity: { cpu: 1, memoryMb: 8_192, storageMb: 100_000 } } });
    engine.waiting.add(queued('t1', {}, 1, 'a'));
    engine.waiting.add(queued('t2', {}, 2, 'a'));
    expect(places(engine)).toEqual(['t1:b', 't2:a']);
  });

  it('picks the smallest devices that will do, of one model', () => {
    const devices = [
      { id: 'big', index: 0, model: 'NVIDIA H100', memoryMb: 81_920, driver: '1' },
      { id: 'odd', index: 1, model: 'Tesla T4', memoryMb: 15_360, driver: '1' },
      { id: 'mid-1', index: 2, model: 'NVIDIA A100', memoryMb: 40_960, driver: '1' },
      { id: 'mid-2', index: 3, model: 'NVIDIA A100', memoryMb: 40_960, driver: '1' },
    ];
    const engine = engineWith('bin-pack', { a: { gpus: devices } });
    const resources = (gpu: { count: number; model?: string; memoryMb?: number }) => ({
      resources: { cpu: 1, memoryMb: 64, storageMb: 0, gpu },
    });
    engine.waiting.add(queued('pair', resources({ count: 2 }), 1));
    engine.waiting.add(queued('h100', resources({ count: 1, model: 'h100', memoryMb: 80_000 }), 2));
    const decided = engine.decide(10, () => 1);
    expect(decided.map(({ taskId, gpuIds }) => [taskId, gpuIds])).toEqual([
      ['pair', ['mid-1', 'mid-2']],
      ['h100', ['big']],
    ]);
  });

  it('notices labels, queues and devices that a worker gets later', () => {
    const engine = engineWith('bin-pack', { a: { queues: ['other'] } });
    submit(engine, 1, {
      workerLabels: { zone: 'eu' },
      resources: { cpu: 1, memoryMb: 64, storageMb: 0, gpu: { count: 1, model: 'h100' } },
    });
    expect(places(engine)).toEqual([]);
    engine.putWorker('a', workerSpec({ queues: [], gpus: gpus(1) }), true);
    expect(places(engine)).toEqual([]);
    engine.putWorker('a', workerSpec({ queues: [], gpus: gpus(1), labels: { zone: 'eu' } }), true);
    expect(places(engine)).toEqual([]);
    engine.putWorker('a', workerSpec({ queues: [], gpus: gpus(1, 'NVIDIA H100'), labels: { zone: 'eu' } }), true);
    expect(places(engine)).toEqual(['t0:a']);
  });
});
