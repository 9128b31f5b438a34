import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ControlGroups } from './control-groups.js';

const ID = 'ab'.repeat(32);

describe('control groups', () => {
  let folder: string;
  let killed: number[];
  let groups: ControlGroups;

  const place = (pid: number, paths: string, startTicks = 100, state = 'S'): void => {
    mkdirSync(join(folder, String(pid)), { recursive: true });
    const before = Array.from({ length: 18 }, () => '0').join(' ');
    writeFileSync(join(folder, String(pid), 'stat'), `${pid} (a) b) ${state} ${before} ${startTicks} 0 0`);
    writeFileSync(join(folder, String(pid), 'cgroup'), paths);
  };

  beforeEach(() => {
    folder = temporaryFolder('gantry-proc');
    killed = [];
    groups = new ControlGroups({ proc: folder, unifiedMount: folder, kill: (pid) => void killed.push(pid) });
  });

  const pidsOf = (name: string): number[] =>
    (groups.members(new Set([name])).get(name) ?? []).map(({ pid }) => pid).sort((a, b) => a - b);

  it('finds every living process of a container, with both versions and both drivers', () => {
    place(1, '0::/');
    place(10, `9:name=systemd:/docker/${ID}\n4:memory:/docker/${ID}\n0::/\n`);
    place(11, `0::/system.slice/docker-${ID}.scope\n`);
    place(12, `0::/docker/${ID}/inner\n`);
    place(13, `0::/docker/${ID}\n`, 100, 'Z');
    place(14, `0::/docker/${ID.replace('a', 'c')}\n`);
    expect(pidsOf(ID)).toEqual([10, 11, 12]);
  });

  it('does not take the tenth attempt for the first', () => {
    place(10, '4:memory:/x/gantry-w-task-1\n');
    place(11, '4:memory:/x/gantry-w-task-10\n');
    expect(pidsOf('gantry-w-task-1')).toEqual([10]);
  });

  it('kills the group at once where the kernel can', () => {
    mkdirSync(join(folder, 'docker', ID), { recursive: true });
    writeFileSync(join(folder, 'docker', ID, 'cgroup.kill'), '');
    place(10, `0::/docker/${ID}/inner\n`);
    groups.end(groups.members(new Set([ID])).get(ID) ?? []);
    expect(readFileSync(join(folder, 'docker', ID, 'cgroup.kill'), 'utf8')).toBe('1');
  });

  it('does not kill a process that was given the number of one that has ended', () => {
    place(10, `4:memory:/docker/${ID}\n`);
    place(11, `4:memory:/docker/${ID}\n`);
    const members = groups.members(new Set([ID])).get(ID) ?? [];
    place(11, '4:memory:/user\n', 200);
    groups.end(members);
    expect(killed).toEqual([10]);
  });

  it('empties a group, also of what was forked meanwhile', async () => {
    place(10, `0::/docker/${ID}\n`);
    place(20, '0::/other\n');
    const forking = new ControlGroups({
      proc: folder,
      unifiedMount: undefined,
      kill: (pid) => {
        killed.push(pid);
        rmSync(join(folder, String(pid)), { recursive: true });
        if (pid < 13) place(pid + 1, `0::/docker/${ID}\n`);
      },
    });
    await forking.empty(ID);
    expect(killed).toEqual([10, 11, 12, 13]);
  });

  it('says which processes of a group do not end', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    place(10, `0::/docker/${ID}\n`);
    const refused = expect(groups.empty(ID)).rejects.toThrow('do not end: 10');
    await vi.runAllTimersAsync();
    await refused;
  });
});
