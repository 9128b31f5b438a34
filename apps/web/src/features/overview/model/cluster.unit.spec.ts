import { describe, expect, it } from 'vitest';
import { clusterHistory, clusterUsage } from './cluster';

const worker = (status: 'active' | 'lost', cores: number, cpuPercent: number) => ({
  status,
  capacity: { cpu: cores, memoryMb: cores * 1_000, storageMb: 0 },
  usage: { cpuPercent, memoryUsedMb: 500, storageUsedMb: 0, load1: 0 },
});

describe('clusterUsage', () => {
  it('weighs workers by their cores and leaves out the lost', () => {
    expect(clusterUsage([worker('active', 1, 100), worker('active', 3, 20), worker('lost', 96, 100)])).toEqual({
      cpuPercent: 40,
      memoryPercent: 25,
    });
  });

  it('knows nothing without workers', () => {
    expect(clusterUsage([])).toBeNull();
  });
});

describe('clusterHistory', () => {
  it('turns used memory into per cent of the workers that reported', () => {
    const history = clusterHistory([
      { cores: 1, memoryMb: 1_000, cpu: [[0, 10]], memory: [[0, 500]] },
      { cores: 3, memoryMb: 3_000, cpu: [[0, 50]], memory: [[10, 3_000]] },
    ]);
    expect(history).toEqual({
      cpu: [[0, 40]],
      memory: [
        [0, 50],
        [10, 100],
      ],
    });
  });
});
