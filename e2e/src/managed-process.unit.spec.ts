import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManagedProcess } from '../../scripts/supervisor/managed-process.mjs';

describe('a part that ends before it is ready', () => {
  let folder: string;
  let part: ManagedProcess;

  /** Gives up at its first two starts. */
  function start(startTries: number): Promise<void> {
    const script =
      'n=$(cat starts 2>/dev/null || echo 0); echo $((n + 1)) > starts; [ $n -ge 2 ] || exit 1; touch ready; exec sleep 60';
    part = new ManagedProcess(
      {
        ...{ name: 'part', command: 'sh', args: ['-c', script], cwd: folder, env: process.env, startTries },
        probe: () => Promise.resolve(existsSync(join(folder, 'ready'))),
      },
      { line: () => undefined, notice: () => undefined, message: () => undefined },
    );
    return part.start();
  }
  const starts = () => Number(readFileSync(join(folder, 'starts'), 'utf8'));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gantry-part-'));
  });
  afterEach(async () => {
    await part.stop(1_000);
    rmSync(folder, { recursive: true, force: true });
  });

  it('is started again as often as is allowed, by nobody else meanwhile', async () => {
    await start(3);
    expect(starts()).toBe(3);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(starts()).toBe(3);
  });

  it('is given up after that', async () => {
    await expect(start(2)).rejects.toThrow('part ended with code 1 before it was ready');
    expect(starts()).toBe(2);
  });
});
