import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig, removeConfig, writeConfig } from './config-file.js';

describe('stored key', () => {
  let folder = '';
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gantry-cli-'));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it('is readable by its owner only and comes back as written', () => {
    const file = path.join(folder, 'deep', 'config.json');
    const config = { apiUrl: 'http://localhost:4000', apiKey: 'gtk_a_b', email: 'ada@example.org' };
    writeConfig(file, config);
    expect(readConfig(file)).toEqual(config);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    removeConfig(file);
    expect(readConfig(file)).toBeUndefined();
  });

  it('says what to do with a damaged file', () => {
    const file = path.join(folder, 'config.json');
    fs.writeFileSync(file, '{"apiUrl": 1}');
    expect(() => readConfig(file)).toThrow('log in again');
  });
});
