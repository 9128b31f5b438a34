import { describe, expect, it } from 'vitest';
import { parseMebibytes, parsePairs, parseSeconds, toSubmitInput } from './task-options.js';

describe('options of run', () => {
  it.each([
    ['512', 512],
    ['512m', 512],
    ['2g', 2048],
    ['1.5GiB', 1536],
    ['1t', 1_048_576],
    ['1024k', 1],
  ])('reads the size %s as %i MiB', (text, expected) => {
    expect(parseMebibytes('--memory', text)).toBe(expected);
  });

  it.each([
    ['90', 90],
    ['90s', 90],
    ['5m', 300],
    ['2h', 7_200],
    ['1d', 86_400],
  ])('reads the time %s as %i s', (text, expected) => {
    expect(parseSeconds('--timeout', text)).toBe(expected);
  });

  it('says what is wrong with a size', () => {
    expect(() => parseMebibytes('--memory', 'lots')).toThrow('--memory is "lots". Write a size such as 512m or 2g.');
  });

  it('keeps everything behind the first equals sign as the value', () => {
    expect(parsePairs('--env', ['A=1=2', 'B='])).toEqual([
      { key: 'A', value: '1=2' },
      { key: 'B', value: '' },
    ]);
    expect(() => parsePairs('--env', ['=x'])).toThrow('NAME=VALUE');
  });

  it('sends the lease and the memory of retries', () => {
    const typed = { image: 'busybox', retryMemoryFactor: '1.5', retryMemoryMax: '4g', lease: '2d' };
    expect(toSubmitInput([], typed)).toMatchObject({
      retryMemoryFactor: 1.5,
      retryMemoryMaxMb: 4_096,
      leaseSeconds: 172_800,
    });
  });

  it('sends only what was typed', () => {
    expect(toSubmitInput(['echo', 'hi'], { image: 'busybox', cpu: '0.5', gpu: '1', gpuMemory: '8g' })).toEqual({
      name: 'busybox echo hi',
      image: 'busybox',
      command: ['echo', 'hi'],
      env: [],
      tags: [],
      labels: [],
      workerLabels: [],
      resources: { cpu: 0.5, gpu: { count: 1, memoryMb: 8192 } },
    });
  });
});
