import { describe, expect, it } from 'vitest';
import { samplesOf } from './live-samples';

describe('samplesOf', () => {
  it('names every sample by what it measures', () => {
    const samples = samplesOf({
      workerId: 'w',
      host: [{ t: 1, cpuPercent: 5 }],
      tasks: [{ t: 2, taskId: 'a', cpuPercent: 80 }],
      gpus: [{ t: 3, gpuId: 'GPU-1', gpuIndex: 0, model: 'A100', taskId: null, utilizationPercent: null }],
    });
    expect(samples.map(({ source, taskId, key, time }) => [source, taskId, key, time])).toEqual([
      ['host', null, '', 1],
      ['task', 'a', '', 2],
      ['gpu', null, 'GPU-1', 3],
    ]);
    expect(samples[2]?.label).toBe('GPU 0 (A100)');
  });

  it('leaves out what is no sample', () => {
    expect(samplesOf({ workerId: 'w', host: null, tasks: 'x', gpus: [{}] })).toEqual([]);
  });
});
