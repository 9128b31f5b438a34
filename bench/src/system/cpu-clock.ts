import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** CPU seconds (user and system, all threads) that a process has used. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold spaces; utime and stime are the 14th and 15th fields of the whole line.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export function residentMebibytesOf(pid: number): number {
  const kibibytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  return kibibytes / 1024;
}

/** CPU seconds of named processes since the clock was made. */
export class CpuClock {
  private readonly started: ReadonlyMap<string, number>;

  constructor(private readonly pids: ReadonlyMap<string, number>) {
    this.started = new Map([...pids].map(([name, pid]) => [name, cpuSecondsOf(pid)]));
  }

  read(): Map<string, number> {
    return new Map([...this.pids].map(([name, pid]) => [name, cpuSecondsOf(pid) - (this.started.get(name) ?? 0)]));
  }
}
