import { given } from '@gantry/testing/given-when-then';
import { describe, it } from 'vitest';
import { emailDecider } from './email.decider.js';

const reserved = { type: 'EmailReserved', data: { userId: 'u1', at: 1 } } as const;

describe('email', () => {
  it('is reserved for the first who asks', () => {
    given(emailDecider, []).when({ type: 'ReserveEmail', userId: 'u1', at: 1 }).then([reserved]);
  });

  it('lets the same user ask again, so that a broken-off registration can go on', () => {
    given(emailDecider, [reserved]).when({ type: 'ReserveEmail', userId: 'u1', at: 9 }).then([]);
  });

  it('is refused to another user', () => {
    given(emailDecider, [reserved]).when({ type: 'ReserveEmail', userId: 'u2', at: 9 }).thenThrows('AUTH.EMAIL_TAKEN');
  });
});
