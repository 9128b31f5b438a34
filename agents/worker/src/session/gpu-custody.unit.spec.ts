import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@gantry/testing/eventually';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GpuProcess } from '../telemetry/gpu/gpu-processes.js';
import { type DeviceClaim, DeviceClaims } from './device-claims.js';
import { GpuCustody } from './gpu-custody.js';

const one = { taskId: 'one', attempt: 1, gpuIds: ['GPU-a'] };
const two = { taskId: 'two', attempt: 1, gpuIds: ['GPU-a', 'GPU-b'] };
const live = new AbortController().signal;

describe('custody of GPUs', () => {
  let folder: string;
  /** What is left on the devices, by the key of its attempt. */
  let left: Map<string, GpuProcess[]>;
  let looks: string[][];
  let freed: number;
  let life: AbortController;

  const file = () => join(folder, 'gpu-claims.json');

  function start(longestWaitMs = 20_000): GpuCustody {
    const find = (claims: readonly DeviceClaim[]) => {
      looks.push(claims.map(({ key }) => key));
      return Promise.resolve(new Map([...left].filter(([key]) => claims.some((claim) => claim.key === key))));
    };
    return new GpuCustody({
      claims: new DeviceClaims(file(), (error) => expect(error).toBeUndefined()),
      holders: { find },
      devices: () => ['GPU-a', 'GPU-b'],
      onFreed: () => (freed += 1),
      logger: { warn: () => undefined },
      signal: life.signal,
      longestWaitMs,
    });
  }

  /** Takes devices in the background. */
  function taking(custody: GpuCustody, of: typeof one, signal = live) {
    const told: string[] = [];
    const result = { told, is: 'waiting' as string };
    void custody
      .take(of, (heldBy) => told.push(heldBy), signal)
      .then(
        () => (result.is = 'taken'),
        (error: unknown) => (result.is = (error as Error).message),
      );
    return result;
  }

  const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const noWait = () => Promise.resolve();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gantry-custody-'));
    [left, looks, freed, life] = [new Map(), [], 0, new AbortController()];
  });
  afterEach(() => {
    life.abort();
    rmSync(folder, { recursive: true, force: true });
  });

  it('gives free devices at once, asks nothing, and asks nothing of a task without devices', async () => {
    const custody = start();
    await custody.take({ ...one, gpuIds: [] }, () => undefined, live);
    await custody.release({ ...one, gpuIds: [] }, noWait, live);
    await custody.take(one, () => undefined, live);
    expect(looks).toEqual([]);
    expect(custody.claimedBy('one.1')).toEqual(['GPU-a']);
  });

  it('keeps a device from the next attempt until a look shows nothing on it, and says so once', async () => {
    const custody = start();
    await custody.take(one, () => undefined, live);
    custody.made(one, 'c');
    const next = taking(custody, two);
    left.set('one.1', [{ gpuId: 'GPU-a', pid: 7 }]);
    const pids: number[][] = [];
    const released = custody.release(one, (held) => Promise.resolve(void pids.push([...held])), live);
    await eventually(() => expect(next.told).toEqual(['GPU-a is held by process 7 of an earlier attempt']));
    await pause(700);
    expect([next.is, custody.claimedBy('two.1')]).toEqual(['waiting', []]);
    left.clear();
    await released;
    await eventually(() => expect(next.is).toBe('taken'));
    expect([pids, next.told.length, freed]).toEqual([[[7]], 1, 1]);
    expect([custody.claimedBy('one.1'), custody.claimedBy('two.1')]).toEqual([[], ['GPU-a', 'GPU-b']]);
  });

  it('gives a device that two wait for to one of them', async () => {
    const custody = start();
    await custody.take(one, () => undefined, live);
    const both = [taking(custody, two), taking(custody, { ...two, taskId: 'three' })];
    await custody.release(one, noWait, live);
    await eventually(() => expect(both.some(({ is }) => is === 'taken')).toBe(true));
    await pause(150);
    expect(both.map(({ is }) => is).sort()).toEqual(['taken', 'waiting']);
    expect(freed).toBe(0);
  });

  it('remembers over a kill of the agent whose processes may be on a device, and watches those that nobody carries on', async () => {
    const before = start();
    await before.take(one, () => undefined, live);
    before.made(one, 'c');
    left.set('one.1', [{ gpuId: 'GPU-a', pid: 7 }]);

    const custody = start();
    custody.watch();
    custody.watch();
    const next = taking(custody, two);
    await eventually(() => expect(next.told).toEqual(['GPU-a is held by process 7 of an earlier attempt']));
    expect([custody.leftOn(), custody.claimedBy('one.1'), next.is]).toEqual([['GPU-a'], [], 'waiting']);
    expect(looks).toHaveLength(1);
    left.clear();
    await eventually(() => expect(next.is).toBe('taken'));
    expect([custody.leftOn(), freed]).toEqual([[], 1]);
    expect(start().leftOn()).toEqual(['GPU-a', 'GPU-b']);
  });

  it('goes on with what is carried on, also by an agent of an older version that kept no claims', async () => {
    const custody = start();
    custody.inherit(one, 'c');
    custody.inherit(two, undefined);
    custody.watch();
    expect([custody.claimedBy('one.1'), custody.claimedBy('two.1'), custody.leftOn()]).toEqual([['GPU-a'], [], []]);
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toMatchObject({ claims: [{ key: 'one.1', containerId: 'c' }] });
    await custody.release(one, noWait, live);
    expect(looks).toEqual([['one.1']]);
  });

  it('lets what begins anew wait for what its earlier beginning left, and be placed elsewhere', async () => {
    await start().take(one, () => undefined, live);
    left.set('one.1', [{ gpuId: 'GPU-a', pid: 7 }]);
    const custody = start(200);
    custody.watch();
    const again = taking(custody, one);
    await eventually(() => expect(again.is).toContain('GPU-a is held by process 7'));
    await custody.release(one, () => Promise.reject(new Error('waited')), live);
    expect(custody.leftOn()).toEqual(['GPU-a']);
  });

  it('takes every device for one on which a container of an unknown attempt may be, until a look', async () => {
    const custody = start();
    custody.disown('lost', 3, 'c');
    expect(custody.leftOn()).toEqual(['GPU-a', 'GPU-b']);
    custody.watch();
    await eventually(() => expect(custody.leftOn()).toEqual([]));
  });

  it('watches what an attempt that is over still claims', async () => {
    const custody = start();
    custody.inherit(one, 'c');
    custody.leave(one);
    expect(custody.leftOn()).toEqual(['GPU-a']);
    await eventually(() => expect(custody.leftOn()).toEqual([]));
  });

  it('gives up after a while with the device and the process, and at once when it is called off', async () => {
    const custody = start(300);
    await custody.take(one, () => undefined, live);
    left.set('one.1', [{ gpuId: 'GPU-a', pid: 7 }]);
    custody.leave(one);
    const off = new AbortController();
    const [late, calledOff] = [taking(custody, two), taking(custody, two, off.signal)];
    await pause(50);
    off.abort();
    await pause(0);
    expect([calledOff.is, custody.claimedBy('two.1')]).toEqual(['taken', []]);
    await eventually(() =>
      expect(late.is).toBe(
        'The container was not started, because its GPUs did not become free within 0.3 s (GPU-a is held by process 7 of an earlier attempt).',
      ),
    );
  });

  it('begins with nothing where the file is none', () => {
    writeFileSync(file(), '{"version":1,"cl');
    expect(start().leftOn()).toEqual([]);
  });
});
