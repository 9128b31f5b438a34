import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { describe, expect, it } from 'vitest';
import { registryOf } from '../runtime/docker/registry-credentials.js';
import { StartSlots } from './start-slots.js';
import { holdAlone, stableWorkerId, workerIdOf } from './worker-identity.js';

describe('worker identity', () => {
  it.each([
    ['GPU-Box_7.example.org', 'gpu-box-7-example-org'],
    ['--x--', 'x'],
    ['äöü', 'worker'],
    ['a'.repeat(80), 'a'.repeat(63)],
  ])('%s becomes %s', (host, id) => expect(workerIdOf(host)).toBe(id));

  it('stays the same when the host is renamed, unless one is configured', () => {
    const folder = temporaryFolder('gantry-identity');
    expect(stableWorkerId(folder, undefined, 'first')).toBe('first');
    expect(stableWorkerId(folder, undefined, 'second')).toBe('first');
    expect(stableWorkerId(folder, 'given', 'second')).toBe('given');
  });

  it('lets one agent at a time have a folder', async () => {
    const folder = temporaryFolder('gantry-identity');
    const held = await holdAlone(folder);
    await expect(holdAlone(folder)).rejects.toMatchObject({ code: 'WORKER.ALREADY_RUNNING' });
    await new Promise((resolve) => held.close(resolve));
    (await holdAlone(folder)).close();
  });

  it('waits a moment for a folder that is just being let go', async () => {
    const folder = temporaryFolder('gantry-identity');
    const held = await holdAlone(folder);
    const next = holdAlone(folder);
    setTimeout(() => held.close(), 300);
    (await next).close();
  });
});

describe('registry of an image', () => {
  it.each([
    ['busybox:1', 'https://index.docker.io/v1/'],
    ['library/busybox', 'https://index.docker.io/v1/'],
    ['ghcr.io/a/b:1', 'ghcr.io'],
    ['localhost/a', 'localhost'],
    ['127.0.0.1:5000/a', '127.0.0.1:5000'],
  ])('%s: %s', (image, registry) => expect(registryOf(image)).toBe(registry));
});

describe('start slots', () => {
  it('lets so many in, the rest in order, and forgets who leaves', async () => {
    const slots = new StartSlots(1);
    const never = new AbortController().signal;
    const leaving = new AbortController();
    const order: string[] = [];
    const first = await slots.acquire(never);
    const second = slots
      .acquire(leaving.signal)
      .then((release) => order.push(release === undefined ? 'left' : 'second'));
    const third = slots.acquire(never).then((release) => {
      order.push('third');
      return release;
    });
    leaving.abort();
    await second;
    expect(order).toEqual(['left']);
    first?.();
    first?.();
    const release = await third;
    expect(order).toEqual(['left', 'third']);
    release?.();
    expect(await slots.acquire(never)).toBeTypeOf('function');
  });
});
