import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { brokerUsersConfig, passwordVariable } from './broker-users.js';
import { serviceNames } from './permissions.js';

const committed = new URL('../../../../deploy/nats/users.conf', import.meta.url);

it('the production configuration has the permissions of this version: node scripts/nats-users.mjs writes it anew', () => {
  expect(readFileSync(committed, 'utf8')).toBe(brokerUsersConfig(['worker-1']));
});

it('names every service and each worker once, with a password from outside', () => {
  const config = brokerUsersConfig(['gpu-1', 'gpu-2']);
  for (const user of [...serviceNames, 'operator', 'worker-gpu-1', 'worker-gpu-2']) {
    expect(config.match(new RegExp(`user: ${user}$`, 'gm'))).toHaveLength(1);
    expect(config).toContain(`password: $${passwordVariable(user)}\n`);
  }
  expect(passwordVariable('worker-gpu-1')).toBe('GANTRY_NATS_PASSWORD_WORKER_GPU_1');
});
