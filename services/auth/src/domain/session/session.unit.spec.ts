import { given } from '@gantry/testing/given-when-then';
import { describe, it } from 'vitest';
import { sessionDecider } from './session.decider.js';
import type { SessionEvent } from './session.evolve.js';
import { sessionPolicy } from './session.policy.js';

const hash = (letter: string): string => letter.repeat(64);
const client = { ip: '192.0.2.1', userAgent: 'test' };
const start = 1_000;
const end = start + sessionPolicy.lifetimeMs;

const started: SessionEvent = {
  type: 'SessionStarted',
  data: { sessionId: 's1', userId: 'u1', tokenHash: hash('a'), ...client, expiresAt: end, at: start },
};
const refreshed = (tokenHash: string, at: number): SessionEvent => ({
  type: 'SessionRefreshed',
  data: { sessionId: 's1', tokenHash, ...client, at },
});
const ended = (
  reason: 'logged_out' | 'revoked' | 'token_reused' | 'password_changed' | 'expired',
  at: number,
): SessionEvent => ({
  type: 'SessionEnded',
  data: { sessionId: 's1', reason, at },
});
const refresh = (presentedHash: string, nextHash: string, at: number) =>
  ({ type: 'RefreshSession', presentedHash, nextHash, ...client, at }) as const;

describe('session', () => {
  it('starts with an absolute end', () => {
    given(sessionDecider, [])
      .when({ type: 'StartSession', sessionId: 's1', userId: 'u1', tokenHash: hash('a'), ...client, at: start })
      .then([started]);
  });

  it('rotates its token', () => {
    given(sessionDecider, [started])
      .when(refresh(hash('a'), hash('b'), 2_000))
      .then([refreshed(hash('b'), 2_000)]);
  });

  it('ends when a used token comes back', () => {
    const history = [started, refreshed(hash('b'), 2_000), refreshed(hash('c'), 3_000)];
    given(sessionDecider, history)
      .when(refresh(hash('a'), hash('d'), 3_001))
      .then([ended('token_reused', 3_001)]);
    given(sessionDecider, history)
      .when(refresh(hash('b'), hash('d'), 13_001))
      .then([ended('token_reused', 13_001)]);
  });

  it('asks the loser of a race to try again, for ten seconds and with the newest used token only', () => {
    const history = [started, refreshed(hash('b'), 2_000)];
    given(sessionDecider, history)
      .when(refresh(hash('a'), hash('d'), 12_000))
      .thenThrows('AUTH.REFRESH_RACE');
    given(sessionDecider, history)
      .when(refresh(hash('a'), hash('d'), 12_001))
      .then([ended('token_reused', 12_001)]);
  });

  it('refuses a secret that never was its own without ending', () => {
    given(sessionDecider, [started])
      .when(refresh(hash('x'), hash('d'), 2_000))
      .thenThrows('AUTH.REFRESH_TOKEN_INVALID');
    given(sessionDecider, [])
      .when(refresh(hash('a'), hash('d'), 2_000))
      .thenThrows('AUTH.REFRESH_TOKEN_INVALID');
  });

  it('ends at its absolute end, also when it was refreshed just before', () => {
    const history = [started, refreshed(hash('b'), end - 1)];
    given(sessionDecider, history)
      .when(refresh(hash('b'), hash('c'), end))
      .then([ended('expired', end)]);
    given(sessionDecider, history)
      .when({ type: 'ExpireSession', at: end })
      .then([ended('expired', end)]);
    given(sessionDecider, history)
      .when({ type: 'ExpireSession', at: end - 1 })
      .then([]);
  });

  it('ends by log-out with its token, old ones included, and with no other', () => {
    const history = [started, refreshed(hash('b'), 2_000)];
    given(sessionDecider, history)
      .when({ type: 'LogOut', presentedHash: hash('b'), at: 9 })
      .then([ended('logged_out', 9)]);
    given(sessionDecider, history)
      .when({ type: 'LogOut', presentedHash: hash('a'), at: 9 })
      .then([ended('logged_out', 9)]);
    given(sessionDecider, history)
      .when({ type: 'LogOut', presentedHash: hash('x'), at: 9 })
      .then([]);
  });

  it('can be revoked once', () => {
    given(sessionDecider, [started])
      .when({ type: 'EndSession', reason: 'revoked', at: 9 })
      .then([ended('revoked', 9)]);
    given(sessionDecider, [started, ended('revoked', 9)])
      .when({ type: 'EndSession', reason: 'revoked', at: 10 })
      .then([]);
  });

  it('stays ended', () => {
    given(sessionDecider, [started, ended('logged_out', 9)])
      .when(refresh(hash('a'), hash('b'), 10))
      .thenThrows('AUTH.SESSION_ENDED');
  });
});
