/** Path of a process's cgroup per controller (`''` = the unified hierarchy), from `/proc/<pid>/cgroup`. */
export function parseCgroupPaths(text: string): Map<string, { hierarchy: string; path: string }> {
  const paths = new Map<string, { hierarchy: string; path: string }>();
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(.+)$/.exec(line);
    if (match === null) continue;
    const [, controllers = '', path = ''] = match;
    // Controllers may share a hierarchy: `4:cpu,cpuacct:/x` is mounted as `cpu,cpuacct`.
    for (const controller of controllers.split(',')) paths.set(controller, { hierarchy: controllers, path });
  }
  return paths;
}

/** The number of one `name value` line (`cpu.stat`, `memory.stat`). */
export function fieldOf(text: string, name: string): number | undefined {
  const match = new RegExp(`^${name} (\\d+)$`, 'm').exec(text);
  return match === null ? undefined : Number(match[1]);
}

/** Bytes by direction from `blkio.throttle.io_service_bytes` (v1: `8:0 Read 4096`) or `io.stat` (v2: `8:0 rbytes=4096 wbytes=0`). */
export function parseBlockIo(text: string): { read: number; written: number } {
  let read = 0;
  let written = 0;
  for (const line of text.split('\n')) {
    const v1 = /^\d+:\d+ (Read|Write) (\d+)$/.exec(line);
    if (v1 !== null) {
      if (v1[1] === 'Read') read += Number(v1[2]);
      else written += Number(v1[2]);
      continue;
    }
    read += Number(/\brbytes=(\d+)/.exec(line)?.[1] ?? 0);
    written += Number(/\bwbytes=(\d+)/.exec(line)?.[1] ?? 0);
  }
  return { read, written };
}
