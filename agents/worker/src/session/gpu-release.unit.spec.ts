import { describe, expect, it } from 'vitest';
import { parseGpuProcesses } from '../telemetry/gpu/gpu-processes.js';
import { GpuRelease } from './gpu-release.js';

const logger = { warn: () => undefined };
const attempt = { gpuIds: ['GPU-a'], taskId: 'task', attempt: 2 };

/** Answers one round after the other; the last one for ever. */
function rounds<T>(...answers: (() => T)[]): () => Promise<T> {
  let at = 0;
  return () => {
    const answer = answers[Math.min(at, answers.length - 1)]!;
    at += 1;
    return Promise.resolve().then(answer);
  };
}

async function waited(release: GpuRelease, of = attempt): Promise<number[][]> {
  const told: number[][] = [];
  await release.wait(
    of,
    'container-id',
    (pids) => Promise.resolve(void told.push([...pids])),
    new AbortController().signal,
  );
  return told;
}

describe('release of GPUs', () => {
  it('reads what the tool lists', () => {
    expect(parseGpuProcesses('GPU-a, 12\n GPU-b, 7 \nNo running processes found\nGPU-c, [N/A]\n')).toEqual([
      { gpuId: 'GPU-a', pid: 12 },
      { gpuId: 'GPU-b', pid: 7 },
    ]);
  });

  it('waits for processes of the container and of the sandbox, and says so once', async () => {
    const release = new GpuRelease({
      logger,
      processes: rounds(
        () => [
          { gpuId: 'GPU-a', pid: 1 },
          { gpuId: 'GPU-a', pid: 2 },
        ],
        () => [{ gpuId: 'GPU-a', pid: 2 }],
        () => [],
      ),
      cgroupOf: (pid) => Promise.resolve(pid === 1 ? '0::/docker/container-id' : '0::/gantry-agent-task-2'),
    });
    expect(await waited(release)).toEqual([[1, 2]]);
  });

  it('does not wait for somebody else, for another device, or for a process that is gone', async () => {
    const release = new GpuRelease({
      logger,
      processes: () =>
        Promise.resolve([
          { gpuId: 'GPU-a', pid: 1 },
          { gpuId: 'GPU-b', pid: 2 },
          { gpuId: 'GPU-a', pid: 3 },
        ]),
      cgroupOf: (pid) => Promise.resolve(pid === 1 ? '0::/docker/other' : pid === 2 ? '0::/docker/container-id' : ''),
    });
    expect(await waited(release)).toEqual([]);
  });

  it('asks nothing for a task without devices', async () => {
    const release = new GpuRelease({ logger, processes: () => Promise.reject(new Error('asked')) });
    expect(await waited(release, { ...attempt, gpuIds: [] })).toEqual([]);
  });

  it('goes on after a failure of the tool, and gives up on one that never answers', async () => {
    const busy = () => [{ gpuId: 'GPU-a', pid: 1 }];
    const fail = (): never => {
      throw new Error('driver is gone');
    };
    const cgroupOf = () => Promise.resolve('0::/docker/container-id');
    const recovering = new GpuRelease({ logger, processes: rounds(fail, fail, busy, fail, fail, () => []), cgroupOf });
    expect(await waited(recovering)).toEqual([[1]]);
    expect(await waited(new GpuRelease({ logger, processes: rounds(fail), cgroupOf }))).toEqual([]);
  });
});
