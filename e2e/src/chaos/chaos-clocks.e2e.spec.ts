import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { eventually } from '@gantry/testing/eventually';
import { afterEach, expect, it } from 'vitest';
import { ChaosClocks } from './chaos-clocks.js';

const PROGRAM =
  "setInterval(() => process.send({ day: Date.now(), boot: Number(process.hrtime.bigint() / 1000000n) }), 50); process.on('disconnect', () => process.exit())";
let child: ChildProcess | undefined;

afterEach(() => child?.kill('SIGKILL'));

it('sets the time of day of one running program, and nothing else', async () => {
  const clocks = new ChaosClocks(path.join(temporaryFolder('gantry-clocks'), 'clocks'));
  let newest = { day: 0, boot: 0 };
  child = spawn(process.execPath, ['-e', PROGRAM], {
    env: clocks.environmentOf('part'),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.on('message', (message) => (newest = message as typeof newest));
  for (const seconds of [0, 7_200, -600]) {
    clocks.set('part', seconds);
    await eventually(() => expect(Math.abs(newest.day - Date.now() - seconds * 1_000)).toBeLessThan(2_000));
    expect(Math.abs(newest.boot - Number(process.hrtime.bigint() / 1_000_000n))).toBeLessThan(2_000);
  }
});
