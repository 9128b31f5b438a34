import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Global set-up of Vitest: everything that tests put under the folder for temporary files lies in one folder of this run, and goes
 * with it. A hook of a test process cannot do that, since Vitest ends its processes without one.
 */
export default function temporaryRoot(): () => void {
  const root = mkdtempSync(join(tmpdir(), 'gantry-test-'));
  // As open as the folder that it stands for: sandboxes and engines look into it as other users.
  chmodSync(root, 0o1777);
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = root;
  return () => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    try {
      rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    } catch {
      // A program that is being ended still uses it, or a file system is still mounted in it.
    }
  };
}
