import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ProcessCgroup } from './process-cgroup.js';

const limits = { memoryBytes: 64 * 1024 * 1024, cpus: 1, processes: 16 };

async function groupWithProcess(name: string, seconds = 0.5) {
  const group = await ProcessCgroup.create(name, limits);
  if (group === undefined) throw new Error('These tests need root and control groups.');
  const child = spawn('sleep', [String(seconds)]);
  for (const folder of group.folders) writeFileSync(join(folder, 'cgroup.procs'), String(child.pid));
  return group;
}

it('waits for the last process of a group before it removes it', async () => {
  const group = await groupWithProcess(`gantry-test-${randomUUID()}`);
  await group.remove();
  expect(group.folders.filter((folder) => existsSync(folder))).toEqual([]);
  await group.remove();
});

it('sweeps groups whose processes are still dying', async () => {
  const name = `gantry-test-${randomUUID()}`;
  const group = await groupWithProcess(name);
  await ProcessCgroup.sweep(name);
  expect(group.folders.filter((folder) => existsSync(folder))).toEqual([]);
});

it('ends what is left in a group, also in that of an agent that was killed', async () => {
  const group = await groupWithProcess(`gantry-test-${randomUUID()}`, 600);
  group.end();
  await group.remove();
  const name = `gantry-test-${randomUUID()}`;
  const left = await groupWithProcess(name, 600);
  await ProcessCgroup.sweep(name);
  expect([...group.folders, ...left.folders].filter((folder) => existsSync(folder))).toEqual([]);
});
