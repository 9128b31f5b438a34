import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('../dist/bundle/main.js', import.meta.url));

it('names the lines of the sources in a stack trace, though everything is one file', () => {
  const { status, stderr } = spawnSync(process.execPath, ['--enable-source-maps', program], {
    env: { GANTRY_ARCHIVE_AFTER_SECONDS: 'soon' },
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect(status).toBe(1);
  expect(stderr).toMatch(/services\/tasks\/src\/main\.ts:\d+/);
  expect(stderr).toMatch(/libs\/nest-platform\/src\/environment\.ts:\d+/);
});
