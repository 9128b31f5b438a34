import { describe, expect, it } from 'vitest';
import { parseGpuProcesses } from '../telemetry/gpu/gpu-processes.js';
import type { DeviceClaim } from './device-claims.js';
import { GpuHolders, type GpuHoldersPorts } from './gpu-holders.js';

const claim: DeviceClaim = { key: 'task.1', taskId: 'task', attempt: 1, gpuIds: ['GPU-a'], containerId: 'c0ffee' };

function find(ports: Partial<GpuHoldersPorts>, ...claims: DeviceClaim[]) {
  const holders = new GpuHolders({
    logger: { warn: () => undefined },
    living: () => Promise.reject(new Error('asked for all processes')),
    ...ports,
  });
  return holders.find(claims.length === 0 ? [claim] : claims);
}

const groups = (of: Record<number, string>) => (pid: number) => Promise.resolve(of[pid] ?? '');

describe('what is left of an attempt on its devices', () => {
  it('reads what the tool lists', () => {
    expect(parseGpuProcesses('GPU-a, 12\n GPU-b, 7 \nNo running processes found\nGPU-c, [N/A]\n')).toEqual([
      { gpuId: 'GPU-a', pid: 12 },
      { gpuId: 'GPU-b', pid: 7 },
    ]);
  });

  it('is what the container and the sandbox put there, and nothing of others, of other devices or that is gone', async () => {
    const listed = [1, 2, 3, 4, 5].map((pid) => ({ gpuId: pid === 4 ? 'GPU-b' : 'GPU-a', pid }));
    const found = await find({
      processes: () => Promise.resolve(listed),
      cgroupOf: groups({
        1: '0::/docker/c0ffee\n',
        2: '0::/gantry-agent-task-1\n',
        3: '0::/docker/other\n',
        4: '0::/docker/c0ffee\n',
      }),
    });
    expect([...found]).toEqual([
      [
        'task.1',
        [
          { gpuId: 'GPU-a', pid: 1 },
          { gpuId: 'GPU-a', pid: 2 },
        ],
      ],
    ]);
  });

  it('is not taken for what is left of another attempt', async () => {
    const { containerId: _id, ...first } = claim;
    const twelfth = { ...first, key: 'task.12', attempt: 12 };
    const found = await find(
      {
        processes: () => Promise.resolve([{ gpuId: 'GPU-a', pid: 1 }]),
        cgroupOf: groups({ 1: '4:memory:/gantry-agent-task-12\n0::/gantry-agent-task-12\n' }),
      },
      first,
      twelfth,
    );
    expect([...found.keys()]).toEqual(['task.12']);
  });

  it('is whatever lives in its control group while the tool does not answer, and the tool is called silent once', async () => {
    let warnings = 0;
    const holders = new GpuHolders({
      logger: { warn: () => void (warnings += 1) },
      processes: () => Promise.reject(new Error('driver is stuck')),
      living: () => Promise.resolve([1, 2]),
      cgroupOf: groups({ 1: '0::/init\n', 2: '0::/system.slice/docker-c0ffee.scope\n' }),
    });
    expect([...(await holders.find([claim]))]).toEqual([['task.1', [{ gpuId: 'GPU-a', pid: 2 }]]]);
    await holders.find([claim]);
    expect(warnings).toBe(1);
  });

  it('is nothing if the tool is silent and no process lives', async () => {
    const silent = () => Promise.reject(new Error('no driver'));
    expect((await find({ processes: silent, living: () => Promise.resolve([1]), cgroupOf: groups({}) })).size).toBe(0);
  });
});
