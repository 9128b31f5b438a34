import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const suite = (...args: string[]) => promisify(execFile)(process.execPath, [main, ...args], { timeout: 110_000 });

describe('the suite', () => {
  it('runs named benches, each in a process of its own, and prints their figures', async () => {
    const { stdout } = await suite('--quick', 'placement,store');
    expect(stdout).toMatch(/\| steady, bin-pack, mixed shapes +\| decisions per CPU second \| [\d,.]+ /);
    expect(stdout).toMatch(
      /\| append, fenced and named, 256 at a time +\| commits\/s +\| [\d,.]+ +\| the client's own publish/,
    );
  });

  it('names the benches when one is asked for that does not exist', async () => {
    await expect(suite('--quick', 'nonsense')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There is no bench nonsense.') as string,
    });
  });
});
