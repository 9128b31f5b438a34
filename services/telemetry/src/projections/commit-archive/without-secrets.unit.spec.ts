import { expect, it } from 'vitest';
import { commitOf } from '../../testing/stream-messages.js';
import { withoutSecrets } from './without-secrets.js';

const data = {
  userId: 'u1',
  passwordHash: '$argon2id$x',
  secretHash: 'ab',
  tokenHash: 'cd',
  nested: [{ tokenHash: 'ef', ip: '::1' }],
};

it('AUTH commits leave every hash behind and keep the rest', () => {
  const { events } = withoutSecrets(commitOf('AUTH', 'u1', 1, [{ type: 'UserRegistered', data }]));
  expect(events).toEqual([{ type: 'UserRegistered', data: { userId: 'u1', nested: [{ ip: '::1' }] } }]);
});

it('other streams are kept as they are', () => {
  const commit = commitOf('TASKS', 't1', 1, [{ type: 'TaskSubmitted', data }]);
  expect(withoutSecrets(commit)).toEqual(commit);
});
