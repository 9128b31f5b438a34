import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { passwordVariable } from '@gantry/contracts/messaging/broker-users';
import { serviceNames } from '@gantry/contracts/messaging/permissions';
import { expect, it } from 'vitest';
import { temporaryFolder } from './testing/temporary-folder.js';

const deploy = fileURLToPath(new URL('../../../deploy/nats', import.meta.url));
const users = [...serviceNames, 'operator', 'worker-worker-1', 'admin'];

const check = (folder: string): string => {
  const passwords = Object.fromEntries(users.map((user) => [passwordVariable(user), `password-of-${user}`]));
  try {
    execFileSync('nats-server', ['-t', '-c', join(folder, 'nats.conf')], {
      env: { ...process.env, ...passwords, NATS_SERVER_NAME: 'nats-0' },
      stdio: 'pipe',
    });
    return 'valid';
  } catch (error) {
    return String((error as { stderr: Buffer }).stderr);
  }
};

it('the production configuration is one that nats-server takes', () => {
  const folder = temporaryFolder('gantry-deploy');
  cpSync(deploy, folder, { recursive: true });
  // The certificates are not here, and nats-server before 2.10 does not know the option.
  for (const file of ['tls.conf', 'cluster-tls.conf']) writeFileSync(join(folder, file), '');
  const config = join(folder, 'nats.conf');
  const text = readFileSync(config, 'utf8');
  expect(text).toContain('  sync_interval: always\n');
  const version = execFileSync('nats-server', ['--version']).toString();
  if (/v2\.9\./.test(version)) writeFileSync(config, text.replace('  sync_interval: always\n', ''));
  expect(check(folder)).toBe('valid');

  writeFileSync(config, readFileSync(config, 'utf8').replace('max_payload: 1MB', 'max_payloda: 1MB'));
  expect(check(folder)).toContain('max_payloda');
});
