import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const bundle = fileURLToPath(new URL('../dist/bundle/', import.meta.url));

it('holds no copy of the embedded ClickHouse: whoever closes it has to know what the other entries of the package have open', () => {
  const scripts = readdirSync(bundle).filter((file) => file.endsWith('.js'));
  expect(scripts).toContain('main.js');
  const code = scripts.map((file) => readFileSync(`${bundle}${file}`, 'utf8')).join('\n');
  expect(code).toMatch(/from "chdb\/connection"/);
  expect(code).not.toContain('node_modules/chdb/');
});
