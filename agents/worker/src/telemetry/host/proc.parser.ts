/** Busy and total time of all cores since boot, in ticks (`/proc/stat`). */
export function parseCpuTimes(stat: string): { busy: number; total: number } {
  const fields = (stat.split('\n', 1)[0] ?? '').trim().split(/\s+/).slice(1, 9).map(Number);
  const total = fields.reduce((sum, value) => sum + value, 0);
  // Idle and waiting for I/O are not work.
  return { busy: total - (fields[3] ?? 0) - (fields[4] ?? 0), total };
}

/** MiB (`/proc/meminfo`). Used = not available to a new program: caches that can be dropped do not count. */
export function parseMemory(meminfo: string): { totalMb: number; usedMb: number } {
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1] ?? 0);
  const total = kib('MemTotal');
  const available = /^MemAvailable:/m.test(meminfo)
    ? kib('MemAvailable')
    : kib('MemFree') + kib('Buffers') + kib('Cached');
  return { totalMb: total / 1_024, usedMb: (total - available) / 1_024 };
}

export interface ByteCounters {
  readonly received: number;
  readonly sent: number;
}

const VIRTUAL_INTERFACE = /^(lo|veth|docker|br-|virbr|cni|flannel|cali|tap|tun)/;

/** Sum over real interfaces (`/proc/net/dev`); in a container's own network, `all` but the loopback. */
export function parseNetwork(dev: string, which: 'physical' | 'all'): ByteCounters {
  let received = 0;
  let sent = 0;
  for (const line of dev.split('\n')) {
    const match = /^\s*([^\s:]+):\s*(.+)$/.exec(line);
    if (match === null) continue;
    const [, name = '', numbers = ''] = match;
    if (which === 'physical' ? VIRTUAL_INTERFACE.test(name) : name === 'lo') continue;
    const fields = numbers.trim().split(/\s+/).map(Number);
    received += fields[0] ?? 0;
    sent += fields[8] ?? 0;
  }
  return { received, sent };
}

const WHOLE_DISK = /^(sd[a-z]+|vd[a-z]+|xvd[a-z]+|hd[a-z]+|nvme\d+n\d+|mmcblk\d+)$/;
const SECTOR_BYTES = 512;

/** Bytes read and written on whole disks (`/proc/diskstats`); partitions would count twice. */
export function parseDisks(diskstats: string): { read: number; written: number } {
  let read = 0;
  let written = 0;
  for (const line of diskstats.split('\n')) {
    const fields = line.trim().split(/\s+/);
    if (!WHOLE_DISK.test(fields[2] ?? '')) continue;
    read += Number(fields[5] ?? 0) * SECTOR_BYTES;
    written += Number(fields[9] ?? 0) * SECTOR_BYTES;
  }
  return { read, written };
}

export function parseLoad(loadavg: string): number {
  return Number(loadavg.split(' ', 1)[0] ?? 0);
}
