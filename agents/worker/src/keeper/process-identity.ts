import { readFileSync } from 'node:fs';
import type { ProcessIdentity } from './keeper-orders.js';

/** Undefined if there is no such process, or only its remains (a zombie runs nothing). */
export function identityOf(pid: number, proc = '/proc'): ProcessIdentity | undefined {
  try {
    const text = readFileSync(`${proc}/${pid}/stat`, 'utf8');
    // The second field is the program's name, in brackets, and may hold anything; the rest are numbers from the third (state) on.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const startTicks = Number(fields[19]);
    return fields[0] === 'Z' || fields[0] === 'X' || !Number.isFinite(startTicks) ? undefined : { pid, startTicks };
  } catch {
    return undefined;
  }
}

export function isAlive({ pid, startTicks }: ProcessIdentity, proc = '/proc'): boolean {
  return identityOf(pid, proc)?.startTicks === startTicks;
}
