import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** CPU seconds (user and system, all threads) that a process has used. */
export function cpuSecondsOf(pid: number): number {
  return secondsIn(`/proc/${pid}/stat`);
}

/** Of its first thread alone: in a Node program, the one that runs JavaScript. */
function mainThreadSecondsOf(pid: number): number {
  return secondsIn(`/proc/${pid}/task/${pid}/stat`);
}

function secondsIn(file: string): number {
  const stat = readFileSync(file, 'utf8');
  // The name in parentheses may hold spaces; utime and stime are the 14th and 15th fields of the whole line.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export function residentMebibytesOf(pid: number): number {
  const kibibytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  return kibibytes / 1024;
}

export interface CpuUse {
  readonly all: number;
  readonly mainThread: number;
}

const useOf = (pid: number): CpuUse => ({ all: cpuSecondsOf(pid), mainThread: mainThreadSecondsOf(pid) });

/** CPU seconds of named processes since the clock was made. */
export class CpuClock {
  private readonly started: ReadonlyMap<string, CpuUse>;

  constructor(private readonly pids: ReadonlyMap<string, number>) {
    this.started = new Map([...pids].map(([name, pid]) => [name, useOf(pid)]));
  }

  read(): Map<string, CpuUse> {
    return new Map(
      [...this.pids].map(([name, pid]) => {
        const [now, then] = [useOf(pid), this.started.get(name) ?? { all: 0, mainThread: 0 }];
        return [name, { all: now.all - then.all, mainThread: now.mainThread - then.mainThread }];
      }),
    );
  }
}
