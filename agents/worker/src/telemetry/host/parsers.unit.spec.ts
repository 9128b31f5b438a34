import { describe, expect, it } from 'vitest';
import { fieldOf, parseBlockIo, parseCgroupPaths } from './cgroup.parser.js';
import { parseCpuTimes, parseDisks, parseLoad, parseMemory, parseNetwork } from './proc.parser.js';

describe('files of /proc', () => {
  it('cpu: idle and waiting are not busy, guest time is not counted twice', () => {
    const stat = 'cpu  100 5 50 800 20 3 7 15 40 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n';
    expect(parseCpuTimes(stat)).toEqual({ busy: 180, total: 1_000 });
  });

  it('memory: what is available is not used; kernels without that line get an estimate', () => {
    expect(parseMemory('MemTotal:       16384 kB\nMemFree:         1024 kB\nMemAvailable:   12288 kB\n')).toEqual({
      totalMb: 16,
      usedMb: 4,
    });
    expect(
      parseMemory('MemTotal: 16384 kB\nMemFree: 1024 kB\nBuffers: 1024 kB\nCached: 2048 kB\nSwapCached: 99 kB\n'),
    ).toEqual({ totalMb: 16, usedMb: 12 });
  });

  it('network: real interfaces of the host, all but the loopback in a container', () => {
    const dev = [
      'Inter-|   Receive                                                |  Transmit',
      ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
      '    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0',
      '  eth0: 2000000      20    0    0    0     0          0         0  3000000      30    0    0    0     0       0          0',
      'veth12:     700       1    0    0    0     0          0         0      800       1    0    0    0     0       0          0',
      'docker0:     50       1    0    0    0     0          0         0       60       1    0    0    0     0       0          0',
    ].join('\n');
    expect(parseNetwork(dev, 'physical')).toEqual({ received: 2_000_000, sent: 3_000_000 });
    expect(parseNetwork(dev, 'all')).toEqual({ received: 2_000_750, sent: 3_000_860 });
  });

  it('disks: whole ones, in bytes', () => {
    const diskstats = [
      '   8       0 sda 100 0 2000 10 50 0 400 5 0 0 0',
      '   8       1 sda1 100 0 2000 10 50 0 400 5 0 0 0',
      ' 259       0 nvme0n1 1 0 8 1 1 0 16 1 0 0 0',
      ' 259       1 nvme0n1p1 1 0 8 1 1 0 16 1 0 0 0',
      '   7       0 loop0 9 0 900 9 9 0 900 9 0 0 0',
    ].join('\n');
    expect(parseDisks(diskstats)).toEqual({ read: 2_008 * 512, written: 416 * 512 });
  });

  it('load', () => expect(parseLoad('0.52 0.58 0.59 1/467 12345\n')).toBe(0.52));
});

describe('control groups', () => {
  it('finds the paths of both versions', () => {
    const v1 = parseCgroupPaths('4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n1:name=systemd:/x\n0::/\n');
    expect(v1.get('memory')).toEqual({ hierarchy: 'memory', path: '/docker/abc' });
    expect(v1.get('cpuacct')).toEqual({ hierarchy: 'cpu,cpuacct', path: '/docker/abc' });
    expect(parseCgroupPaths('0::/system.slice/docker-abc.scope\n').get('')).toEqual({
      hierarchy: '',
      path: '/system.slice/docker-abc.scope',
    });
  });

  it('reads named figures', () => {
    expect(fieldOf('cache 1\ntotal_inactive_file 4096\ninactive_file 7\n', 'inactive_file')).toBe(7);
    expect(fieldOf('usage_usec 12\n', 'nothing')).toBeUndefined();
  });

  it('adds up block I/O of both versions', () => {
    expect(parseBlockIo('8:0 Read 4096\n8:0 Write 100\n8:0 Total 4196\n8:16 Read 4\nTotal 4200\n')).toEqual({
      read: 4_100,
      written: 100,
    });
    expect(parseBlockIo('8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0\n8:16 rbytes=1 wbytes=2\n')).toEqual({
      read: 11,
      written: 22,
    });
  });
});
