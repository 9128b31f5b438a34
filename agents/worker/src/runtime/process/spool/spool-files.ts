import { readdirSync, readFileSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from '../../../keeper/keeper-orders.js';
import { isAlive } from '../../../keeper/process-identity.js';

/** Which process writes the spool. It is removed when nothing more will come. */
export const WRITER_FILE = 'writer.json';

/** True if the writer died before it had written everything. */
export function isAbandoned(folder: string): boolean {
  try {
    return !isAlive(JSON.parse(readFileSync(join(folder, WRITER_FILE), 'utf8')) as ProcessIdentity);
  } catch {
    // It is removed at the end, and not yet there, or not whole, before the first byte.
    return false;
  }
}

/** A spool is cut into files that are named by the place of their first byte, so that what is stored can be removed from its front. */
export function segmentFile(folder: string, start: number): string {
  return join(folder, `${String(start).padStart(16, '0')}.spool`);
}

/** Places at which the segments that still exist begin, in order. */
export function segmentStarts(folder: string): number[] {
  return readdirSync(folder)
    .flatMap((name) => /^(\d{16})\.spool$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** Most have one file: three system calls do what a recursive removal does with many more. What is left goes with the attempt's folder. */
export function removeSpool(folder: string): void {
  try {
    for (const name of readdirSync(folder)) unlinkSync(join(folder, name));
    rmdirSync(folder);
  } catch {
    return;
  }
}
