import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeHostsFile } from './hosts-file.js';

describe('hosts file', () => {
  let folder: string;

  beforeEach(() => {
    folder = temporaryFolder('gantry-hosts');
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('names the loopback addresses, for every user to read', () => {
    // Left by a start that was cut short.
    writeFileSync(join(folder, 'hosts.new'), '127', { mode: 0o600 });
    const file = writeHostsFile(folder);
    expect(readFileSync(file, 'utf8')).toMatch(/^127\.0\.0\.1\s+localhost\n::1\s+localhost\b/);
    expect(statSync(file).mode & 0o777).toBe(0o644);
  });

  it('is left alone at the next start, and replaced if it says something else', () => {
    const file = writeHostsFile(folder);
    const text = readFileSync(file, 'utf8');
    const { ino } = statSync(file);
    expect(writeHostsFile(folder)).toBe(file);
    expect(statSync(file).ino).toBe(ino);
    writeFileSync(file, 'cut off');
    writeHostsFile(folder);
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(statSync(file).ino).not.toBe(ino);
  });
});
