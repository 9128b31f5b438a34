import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';

/** Neither truncated nor replaced: the old text stays until the new one is there. */
const IN_PLACE = constants.O_WRONLY | constants.O_CREAT;

/**
 * Writes a file of a few bytes over in place; `size`: of all its texts, shorter ones are filled up with spaces. It is one system call
 * on one page, so a kill leaves the old or the new text, and it needs no more room on the disk. A file that is replaced by another one
 * instead is written out by ext4 before that goes on.
 */
export function overwrite(path: string, text: string, size: number): void {
  if (text.length > size) throw new RangeError(`Text of ${text.length} characters for a file of ${size}.`);
  const file = openSync(path, IN_PLACE, 0o600);
  try {
    writeSync(file, text.padEnd(size), 0);
  } finally {
    closeSync(file);
  }
}

/** Of a file that is not there: nothing. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
