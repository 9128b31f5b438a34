import { describe, expect, it } from 'vitest';
import { sessionPolicy } from '../domain/session/session.policy.js';
import { anonymous, client, contextOf, startApplication } from '../testing/application.fixture.js';

const started = async () => {
  const fixture = await startApplication();
  const user = await fixture.register('ada');
  const pair = await fixture.logIn('ada');
  const refresh = (refreshToken: string) =>
    fixture.application.refreshSession.handle({ refreshToken, ...client }, anonymous);
  return { ...fixture, user, pair, refresh };
};

describe('sessions', () => {
  it('rotate their refresh token and keep their absolute end', async () => {
    const { clock, pair, refresh } = await started();
    clock.advance(60_000);
    const next = await refresh(pair.refreshToken);
    expect(next.refreshToken).not.toBe(pair.refreshToken);
    expect(next.refreshTokenExpiresAt).toBe(pair.refreshTokenExpiresAt);
    expect(next.accessTokenExpiresAt).toBe(clock.now() + 600_000);
  });

  it('end when a used token comes back: neither the old nor the newest works afterwards', async () => {
    const { clock, pair, refresh, eventTypes } = await started();
    const next = await refresh(pair.refreshToken);
    clock.advance(sessionPolicy.refreshRaceMs + 1);
    await expect(refresh(pair.refreshToken)).rejects.toMatchObject({
      code: 'AUTH.TOKEN_REUSED',
      kind: 'unauthenticated',
    });
    await expect(refresh(next.refreshToken)).rejects.toMatchObject({
      code: 'AUTH.SESSION_ENDED',
      kind: 'unauthenticated',
    });
    expect(eventTypes().slice(-2)).toEqual(['SessionRefreshed', 'SessionEnded']);
  });

  it('let one of two refreshes at the same moment win and tell the other to try again', async () => {
    const { pair, refresh, eventTypes } = await started();
    const results = await Promise.allSettled([refresh(pair.refreshToken), refresh(pair.refreshToken)]);
    const won = results.filter((result) => result.status === 'fulfilled');
    const lost = results.filter((result) => result.status === 'rejected');
    expect(won).toHaveLength(1);
    expect(lost.map(({ reason }) => reason as unknown)).toEqual([
      expect.objectContaining({ code: 'AUTH.REFRESH_RACE', retryable: true }),
    ]);
    expect(eventTypes()).not.toContain('SessionEnded');
    await expect(refresh(won[0]?.value.refreshToken ?? '')).resolves.toBeDefined();
  });

  it('are not ended by a stranger who knows their id', async () => {
    const { application, user, pair, refresh } = await started();
    const forged = `${pair.refreshToken.slice(0, -43)}${'A'.repeat(43)}`;
    expect(forged).not.toBe(pair.refreshToken);
    await expect(refresh(forged)).rejects.toMatchObject({ code: 'AUTH.REFRESH_TOKEN_INVALID' });
    await application.logOut.handle({ refreshToken: forged }, anonymous);
    expect(application.directory.sessionsOf(user.id)).toHaveLength(1);
  });

  it.each(['', 'gtr_', 'gtr_x_y', 'gtk_00000000-0000-7000-8000-000000000001_' + 'A'.repeat(43)])(
    'refuse the malformed token %j',
    async (token) => {
      const { refresh } = await started();
      await expect(refresh(token)).rejects.toMatchObject({ code: 'AUTH.REFRESH_TOKEN_INVALID' });
    },
  );

  it('end at their absolute end, however often they are refreshed', async () => {
    const { clock, pair, refresh, eventTypes } = await started();
    let token = pair.refreshToken;
    for (let hour = 0; hour < 23; hour += 1) {
      clock.advance(3_600_000);
      token = (await refresh(token)).refreshToken;
    }
    clock.advance(3_599_000);
    const last = await refresh(token);
    expect(last.accessTokenExpiresAt).toBe(pair.refreshTokenExpiresAt);
    clock.advance(1_000);
    await expect(refresh(last.refreshToken)).rejects.toMatchObject({ code: 'AUTH.SESSION_ENDED' });
    expect(eventTypes().at(-1)).toBe('SessionEnded');
  });

  it('leave with the sweep when their time is over, and only then', async () => {
    const { application, clock, user } = await started();
    clock.advance(sessionPolicy.lifetimeMs - 1);
    expect(await application.expireSessions.handle()).toBe(0);
    clock.advance(1);
    expect(application.query.sessions({ userId: user.id }, contextOf(user)).sessions).toEqual([]);
    expect(await application.expireSessions.handle()).toBe(1);
    expect(application.directory.sessionsOf(user.id)).toEqual([]);
    expect(await application.expireSessions.handle()).toBe(0);
  });

  it('end by log-out, which may be repeated', async () => {
    const { application, user, pair, refresh } = await started();
    await application.logOut.handle({ refreshToken: pair.refreshToken }, anonymous);
    await application.logOut.handle({ refreshToken: pair.refreshToken }, anonymous);
    await application.logOut.handle({ refreshToken: 'nonsense' }, anonymous);
    expect(application.directory.sessionsOf(user.id)).toEqual([]);
    await expect(refresh(pair.refreshToken)).rejects.toMatchObject({ code: 'AUTH.SESSION_ENDED' });
  });

  it('show where they are used and can be revoked one by one', async () => {
    const { application, clock, user, pair, refresh, logIn } = await started();
    clock.advance(1_000);
    await logIn('ada');
    clock.advance(1_000);
    await refresh(pair.refreshToken);
    const { sessions } = application.query.sessions({ userId: user.id }, contextOf(user));
    expect(sessions).toEqual([
      {
        id: sessions[0]?.id,
        userId: user.id,
        ...client,
        startedAt: clock.now() - 2_000,
        lastActiveAt: clock.now(),
        expiresAt: pair.refreshTokenExpiresAt,
      },
      expect.objectContaining({ startedAt: clock.now() - 1_000, lastActiveAt: clock.now() - 1_000 }),
    ]);
    await application.revokeSession.handle({ userId: user.id, sessionId: sessions[0]?.id ?? '' }, contextOf(user));
    expect(application.query.sessions({ userId: user.id }, contextOf(user)).sessions).toEqual([sessions[1]]);
  });

  it('issue tokens with the role as it is now', async () => {
    const { application, user, pair, refresh, admin } = await started();
    await application.changeRole.handle({ userId: user.id, role: 'admin' }, contextOf(await admin()));
    expect((await refresh(pair.refreshToken)).user.role).toBe('admin');
  });
});
