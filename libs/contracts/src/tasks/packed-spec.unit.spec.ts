import { describe, expect, it } from 'vitest';
import { packSpec, restOf, unpackSpec } from './packed-spec.js';
import { taskSpecSchema } from './task-spec.js';

const plain = taskSpecSchema.parse({ name: 'n', image: 'busybox' });
const full = taskSpecSchema.parse({
  name: 'train',
  description: 'ž "quoted"\n🐴',
  image: 'registry.example/team/trainer:1.4.2',
  command: ['sh', '-c', 'echo "a\\b"'],
  env: { A: '', B: 'x=y', C: '\u0000' },
  resources: { cpu: 0.5, memoryMb: 64, storageMb: 1, gpu: { count: 1, model: 'A100', memoryMb: 40_000 } },
  tags: ['t'],
  labels: { l: 'v' },
  workerLabels: { zone: 'a' },
  queue: 'gpu',
  priority: -3,
  timeoutSeconds: 7,
  retries: 2,
  retryMemoryFactor: 2,
  retryMemoryMaxMb: 100,
  leaseSeconds: 100,
  network: 'bridge',
});

describe('a packed spec', () => {
  it.each([plain, full])('is the same one again, also after its way through a snapshot', (spec) => {
    const packed = packSpec(spec);
    expect(unpackSpec(packed)).toEqual(spec);
    expect(packSpec(packed)).toBe(packed);
    const { name, rest, details } = JSON.parse(JSON.stringify(packed)) as typeof packed;
    expect(unpackSpec(Object.assign(packSpec(plain), { name, rest, details }))).toEqual(spec);
  });

  it('tells what a task is placed by without being unpacked', () => {
    for (const spec of [full, packSpec(full)]) {
      const { queue, priority, resources, workerLabels, leaseSeconds } = restOf(spec);
      expect({ queue, priority, resources, workerLabels, leaseSeconds }).toEqual({
        queue: 'gpu',
        priority: -3,
        resources: full.resources,
        workerLabels: { zone: 'a' },
        leaseSeconds: 100,
      });
    }
  });

  it('shares its rest with the specs that differ in nothing else', () => {
    const rests = ['a', 'b'].map(
      (name) => packSpec({ ...full, name, command: [name], env: { name }, description: name }).rest,
    );
    expect(rests[0]).toEqual(rests[1]);
  });
});
