import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders = new Set<string>();
let registered = false;

/** A new empty folder, removed when the process ends. */
export function temporaryFolder(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), `${prefix}-`));
  folders.add(folder);
  if (!registered) {
    registered = true;
    process.once('exit', () => {
      for (const path of folders) {
        try {
          rmSync(path, { recursive: true, force: true });
        } catch {
          // A program that is being ended still uses it. The hooks that end the others must run all the same.
        }
      }
    });
  }
  return folder;
}

/** Also one that a program which was just ended still writes to: ClickHouse finishes its background work after it was closed. */
export function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
