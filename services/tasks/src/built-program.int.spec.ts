import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('../dist/bundle/main.js', import.meta.url));
const bundler = fileURLToPath(new URL('../../../scripts/bundle.mjs', import.meta.url));

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

it('gives objects that are copied and extended one hidden class, which V8 by itself does not (scripts/spread-shapes.mjs)', () => {
  const folder = temporaryFolder('gantry-bundle');
  mkdirSync(join(folder, 'dist'));
  writeFileSync(
    join(folder, 'dist/main.js'),
    `const extended = (object) => ({ ...object, c: 3 });
const isOneClass = new Function('a', 'b', 'return %HaveSameMap(a, b)');
for (let a = 0; a < 10_000; a += 1) extended({ a, b: 2 });
const last = extended({ a: 1, b: 2 });
process.stdout.write(JSON.stringify([last, isOneClass(last, extended({ a: 5, b: 6 }))]));
`,
  );
  writeFileSync(join(folder, 'dist/main.js.map'), JSON.stringify({ version: 3, sources: [], names: [], mappings: '' }));
  const run = (file: string, ...flags: string[]): string => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, file], { cwd: folder, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return stdout;
  };
  run(bundler);
  expect(JSON.parse(run('dist/bundle/main.js', '--allow-natives-syntax'))).toEqual([{ a: 1, b: 2, c: 3 }, true]);
});
