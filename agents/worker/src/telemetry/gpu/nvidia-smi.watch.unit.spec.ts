import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@gantry/kernel/clock';
import { createLogger } from '@gantry/nest-platform/logger';
import { eventually } from '@gantry/testing/eventually';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { afterEach, describe, expect, it } from 'vitest';
import { NvidiaSmiWatch } from './nvidia-smi.watch.js';

const logger = createLogger('test', { level: 'silent', format: 'json' });

function tool(script: string): string {
  const path = join(temporaryFolder('gantry-smi'), 'nvidia-smi');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('watching NVIDIA devices', () => {
  let watch: NvidiaSmiWatch | undefined;
  const watching = (command: string): NvidiaSmiWatch =>
    (watch = new NvidiaSmiWatch({ intervalMs: 50, clock: systemClock, logger, command }));

  afterEach(() => watch?.stop());

  it('finds the devices and attributes samples to tasks', async () => {
    const command = tool(
      'while true; do echo "1, GPU-b, 550.1, 50, 10, 81559, 60, 300.5, 1, 2, 0, H100"; echo "0, GPU-a, 550.1, [N/A], 5, 81559, 40, N/A, 1, 2, [N/A], H100"; sleep 0.2; done',
    );
    expect(await watching(command).start()).toEqual([
      { id: 'GPU-a', index: 0, model: 'H100', memoryMb: 81_559, driver: '550.1' },
      { id: 'GPU-b', index: 1, model: 'H100', memoryMb: 81_559, driver: '550.1' },
    ]);
    const samples = await eventually(() => {
      const taken = watch?.take((id) => (id === 'GPU-b' ? 'task' : null)) ?? [];
      expect(taken.length).toBeGreaterThanOrEqual(2);
      return taken;
    });
    expect(samples.find(({ gpuId }) => gpuId === 'GPU-b')).toMatchObject({
      gpuIndex: 1,
      utilizationPercent: 50,
      powerWatts: 300.5,
      taskId: 'task',
    });
    expect(samples.find(({ gpuId }) => gpuId === 'GPU-a')).toMatchObject({
      utilizationPercent: null,
      eccErrors: null,
      taskId: null,
    });
  });

  it('has no devices where there is no tool, and where the tool finds no driver', async () => {
    expect(await watching('/nonexistent/nvidia-smi').start()).toEqual([]);
    expect(
      await watching(
        tool('echo "NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver."; exit 9'),
      ).start(),
    ).toEqual([]);
  });
});
