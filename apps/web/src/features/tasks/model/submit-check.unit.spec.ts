import { describe, expect, it } from 'vitest';
import { checkSubmit } from './submit-check';
import { fieldOfPath, mapProblems } from './submit-fields';
import { emptySubmitValues, toSubmitInput, type SubmitValues } from './submit-values';

const valid: SubmitValues = {
  ...emptySubmitValues,
  name: 'report',
  image: 'busybox:latest',
  commandLine: "sh -c 'echo hi'",
};
const fieldsOf = (values: SubmitValues) => mapProblems(checkSubmit(values), values).fields.map((each) => each.field);

describe('toSubmitInput', () => {
  it('sends what was filled in', () => {
    const input = toSubmitInput(
      {
        ...valid,
        name: ' report ',
        env: [
          { key: ' A ', value: '1' },
          { key: '', value: '' },
        ],
        gpuCount: 2,
        gpuModel: 'A100',
        gpuMemoryMb: 40_960,
        tags: ['nightly'],
      },
      'key-1',
    );
    expect(input).toEqual({
      name: 'report',
      image: 'busybox:latest',
      command: ['sh', '-c', 'echo hi'],
      description: '',
      env: [{ key: 'A', value: '1' }],
      resources: { cpu: 1, memoryMb: 256, storageMb: 1024, gpu: { count: 2, model: 'A100', memoryMb: 40_960 } },
      tags: ['nightly'],
      labels: [],
      workerLabels: [],
      queue: 'default',
      priority: 0,
      timeoutSeconds: 3_600,
      retries: 0,
      network: 'none',
      idempotencyKey: 'key-1',
    });
  });

  it('sends the lease and the memory of retries when they are given, and fills them in again', () => {
    const given = { retryMemoryFactor: 2, retryMemoryMaxMb: 4_096, leaseSeconds: 86_400 };
    expect(toSubmitInput({ ...valid, ...given }, 'k')).toMatchObject(given);
    for (const name of Object.keys(given)) expect(toSubmitInput(valid, 'k')).not.toHaveProperty(name);
    expect(fieldsOf({ ...valid, retryMemoryFactor: 5, retryMemoryMaxMb: 4, leaseSeconds: 14 }).sort()).toEqual([
      'leaseSeconds',
      'retryMemoryFactor',
      'retryMemoryMaxMb',
    ]);
    expect(fieldsOf({ ...valid, leaseSeconds: 604_801 })).toEqual(['leaseSeconds']);
  });

  it('leaves emptied numbers to the server, and GPU wishes out when no GPU is asked', () => {
    const input = toSubmitInput(
      { ...valid, cpu: '', timeoutSeconds: '', gpuCount: 0, gpuModel: 'A100', gpuMemoryMb: 8 },
      'k',
    );
    expect(input.resources).toEqual({ memoryMb: 256, storageMb: 1024, gpu: { count: 0 } });
    expect(input).not.toHaveProperty('timeoutSeconds');
  });

  it('sends the arguments one a line', () => {
    expect(
      toSubmitInput({ ...valid, commandMode: 'arguments', commandArguments: 'sh\n-c\necho "hi"\n' }, 'k').command,
    ).toEqual(['sh', '-c', 'echo "hi"']);
  });
});

describe('checkSubmit', () => {
  it('accepts a good form', () => {
    expect(checkSubmit(valid)).toEqual([]);
  });

  it('finds what is missing', () => {
    expect(fieldsOf(emptySubmitValues)).toEqual(['name', 'image']);
  });

  it.each([
    ['image', { image: 'Not An Image' }],
    ['commandLine', { commandLine: "sh -c 'open" }],
    ['cpu', { cpu: 0 }],
    ['memoryMb', { memoryMb: 1 }],
    ['gpuCount', { gpuCount: 65 }],
    ['queue', { queue: 'Not A Queue' }],
    ['priority', { priority: 101 }],
    ['timeoutSeconds', { timeoutSeconds: 0 }],
    ['retries', { retries: 1.5 }],
    ['tags', { tags: ['x'.repeat(64)] }],
    [
      'env.1.key',
      {
        env: [
          { key: 'GOOD', value: '' },
          { key: '1BAD', value: 'x' },
        ],
      },
    ],
    [
      'env.1.key',
      {
        env: [
          { key: 'A', value: '1' },
          { key: 'A', value: '2' },
        ],
      },
    ],
    ['env.0.key', { env: [{ key: '', value: 'lost' }] }],
    ['env', { env: [{ key: 'NVIDIA_VISIBLE_DEVICES', value: 'all' }] }],
    ['labels.0.key', { labels: [{ key: 'Upper', value: 'x' }] }],
    ['workerLabels.0.key', { workerLabels: [{ key: 'a b', value: 'x' }] }],
  ] as const)('points at %s', (field, change) => {
    expect(fieldsOf({ ...valid, ...structuredClone(change) } as unknown as SubmitValues)).toContain(field);
  });
});

describe('fieldOfPath', () => {
  const values: SubmitValues = {
    ...valid,
    env: [
      { key: 'A', value: '1' },
      { key: 'B.C', value: '2' },
    ],
  };

  it.each([
    ['spec.resources.cpu', 'cpu'],
    ['input.name', 'name'],
    ['input.resources.gpu.memoryMb', 'gpuMemoryMb'],
    ['spec.command.2', 'commandLine'],
    ['spec.tags.0', 'tags'],
    ['spec.env.B.C', 'env.1.key'],
    ['input.env.0.value', 'env.0.value'],
    ['spec.env.GONE', 'env'],
    ['spec.timeoutSeconds', 'timeoutSeconds'],
    ['something.else', null],
  ])('maps %s to %s', (path, field) => {
    expect(fieldOfPath(path, values)).toBe(field);
  });

  it('keeps what no field can show, and one message a field', () => {
    const problems = [
      { path: 'spec.name', message: 'first' },
      { path: 'spec.name', message: 'second' },
      { path: 'quota', message: 'Too many.' },
    ];
    expect(mapProblems(problems, values)).toEqual({
      fields: [{ field: 'name', message: 'first' }],
      rest: [{ path: 'quota', message: 'Too many.' }],
    });
  });
});
