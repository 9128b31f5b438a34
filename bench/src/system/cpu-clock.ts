import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Where the fields of `stat` stand after the program's name, which may hold spaces: the 14th of the whole line is the 11th there. */
const OWN = 11;
const ENDED_CHILDREN = 13;

/** CPU seconds (user and system, all threads) that a process has used. */
export function cpuSecondsOf(pid: number): number {
  return secondsIn(`/proc/${pid}/stat`, OWN);
}

function secondsIn(file: string, field: number): number {
  const stat = readFileSync(file, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[field]) + Number(fields[field + 1])) / TICKS_PER_SECOND;
}

export function residentMebibytesOf(pid: number): number {
  const kibibytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  return kibibytes / 1024;
}

export interface CpuUse {
  readonly all: number;
  /** Of the first thread alone: in a Node program, the one that runs JavaScript. */
  readonly mainThread: number;
}

/** Reads what has been used up to now. */
export type CpuMeter = () => CpuUse;

/** Of the process itself. */
export const meterOf =
  (pid: number): CpuMeter =>
  () => ({ all: cpuSecondsOf(pid), mainThread: secondsIn(`/proc/${pid}/task/${pid}/stat`, OWN) });

/** Of the children of a process that have ended, and of theirs. */
export const meterOfEndedChildren =
  (pid: number): CpuMeter =>
  () => ({ all: secondsIn(`/proc/${pid}/stat`, ENDED_CHILDREN), mainThread: 0 });

/** CPU seconds of what is named, since the clock was made. */
export class CpuClock {
  private readonly started: ReadonlyMap<string, CpuUse>;

  constructor(private readonly meters: ReadonlyMap<string, CpuMeter>) {
    this.started = new Map([...meters].map(([name, meter]) => [name, meter()]));
  }

  read(): Map<string, CpuUse> {
    return new Map(
      [...this.meters].map(([name, meter]) => {
        const [now, then] = [meter(), this.started.get(name) ?? { all: 0, mainThread: 0 }];
        return [name, { all: now.all - then.all, mainThread: now.mainThread - then.mainThread }];
      }),
    );
  }
}
