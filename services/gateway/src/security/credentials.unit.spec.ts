import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { TOKEN_AUDIENCE, TOKEN_ISSUER } from '@gantry/contracts/auth/auth-requests';
import { ManualClock } from '@gantry/kernel/clock';
import { GantryError } from '@gantry/kernel/gantry-error';
import { AccessTokenVerifier } from './access-token.verifier.js';
import { ApiKeyVerifier } from './api-key.verifier.js';
import { DownloadTickets } from './download-ticket.js';
import type { Principal } from './principal.js';

const user = {
  id: 'u',
  email: 'e',
  name: 'n',
  role: 'user' as const,
  mustChangePassword: false,
  createdAt: 1,
  lastLogInAt: null,
};

async function signer(kid: string) {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA');
  const sign = (clock: ManualClock, change: (token: SignJWT) => SignJWT = (token) => token) =>
    change(
      new SignJWT({ name: 'n', email: 'e', role: 'user', sid: 's', mcp: false })
        .setProtectedHeader({ alg: 'EdDSA', kid })
        .setSubject('u')
        .setIssuer(TOKEN_ISSUER)
        .setAudience(TOKEN_AUDIENCE)
        .setExpirationTime(Math.floor(clock.now() / 1_000) + 60),
    ).sign(privateKey);
  return { jwk: { ...(await exportJWK(publicKey)), kid, alg: 'EdDSA' }, sign };
}

describe('access tokens', () => {
  it('are verified without asking again, until they run out', async () => {
    const clock = new ManualClock();
    const { jwk, sign } = await signer('a');
    let fetched = 0;
    const verifier = new AccessTokenVerifier(async () => ({ keys: [((fetched += 1), jwk)] }), clock, clock);
    const token = await sign(clock);
    expect(await verifier.verify(token)).toMatchObject({ userId: 'u', sessionId: 's', via: 'session', scopes: null });
    await verifier.verify(token);
    expect(fetched).toBe(1);
    clock.advance(61_000);
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'AUTH.TOKEN_EXPIRED', kind: 'unauthenticated' });
  });

  it('of a new key make the keys be read again, but not for every forgery', async () => {
    const clock = new ManualClock();
    const [old, fresh, foreign] = [await signer('old'), await signer('fresh'), await signer('foreign')];
    let keys = [old.jwk];
    let fetched = 0;
    const verifier = new AccessTokenVerifier(async () => ((fetched += 1), { keys }), clock, clock);
    await verifier.verify(await old.sign(clock));
    keys = [old.jwk, fresh.jwk];
    clock.advance(6_000);
    expect(await verifier.verify(await fresh.sign(clock))).toMatchObject({ userId: 'u' });
    for (let round = 0; round < 5; round += 1)
      await expect(verifier.verify(await foreign.sign(clock))).rejects.toMatchObject({ code: 'AUTH.TOKEN_INVALID' });
    expect(fetched).toBe(2);
  });

  it('of a new key are accepted although the time of day was set back after the keys were read', async () => {
    const [clock, monotonic] = [new ManualClock(), new ManualClock()];
    const [old, fresh] = [await signer('old'), await signer('fresh')];
    let keys = [old.jwk];
    const verifier = new AccessTokenVerifier(() => Promise.resolve({ keys }), clock, monotonic);
    await verifier.verify(await old.sign(clock));
    keys = [fresh.jwk];
    clock.advance(-7_200_000);
    monotonic.advance(6_000);
    expect(await verifier.verify(await fresh.sign(clock))).toMatchObject({ userId: 'u' });
  });

  it.each<[string, (token: SignJWT) => SignJWT]>([
    ['another issuer', (token) => token.setIssuer('somebody')],
    ['another audience', (token) => token.setAudience('something')],
    ['no subject', (token) => token.setSubject('')],
  ])('with %s are refused', async (_name, change) => {
    const clock = new ManualClock();
    const { jwk, sign } = await signer('a');
    await expect(
      new AccessTokenVerifier(async () => ({ keys: [jwk] }), clock, clock).verify(await sign(clock, change)),
    ).rejects.toMatchObject({ code: 'AUTH.TOKEN_INVALID' });
  });

  it('signed with the public key as a shared secret are refused', async () => {
    const clock = new ManualClock();
    const { jwk } = await signer('a');
    const forged = await new SignJWT({ role: 'admin' })
      .setProtectedHeader({ alg: 'HS256', kid: 'a' })
      .setSubject('u')
      .setIssuer(TOKEN_ISSUER)
      .setAudience(TOKEN_AUDIENCE)
      .setExpirationTime('1h')
      .sign(Buffer.from(String(jwk.x)));
    await expect(
      new AccessTokenVerifier(async () => ({ keys: [jwk] }), clock, clock).verify(forged),
    ).rejects.toMatchObject({
      code: 'AUTH.TOKEN_INVALID',
    });
  });

  it('say "unavailable", not "invalid", while the keys cannot be had', async () => {
    const clock = new ManualClock();
    const { sign } = await signer('a');
    const verifier = new AccessTokenVerifier(
      () => Promise.reject(new GantryError('SERVICE.UNAVAILABLE', 'unavailable', 'x')),
      clock,
      clock,
    );
    await expect(verifier.verify(await sign(clock))).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

describe('API keys', () => {
  it('are asked about once in ten seconds, refusals too, outages not', async () => {
    const clock = new ManualClock();
    let answer: () => Promise<{ user: typeof user; keyId: string; scopes: ['tasks:read'] }> = async () => ({
      user,
      keyId: 'k',
      scopes: ['tasks:read'],
    });
    let asked = 0;
    const verifier = new ApiKeyVerifier(() => ((asked += 1), answer()), clock);
    await verifier.verify('gtk_a');
    expect(await verifier.verify('gtk_a')).toMatchObject({ via: 'api_key', scopes: ['tasks:read'], expiresAt: null });
    expect(asked).toBe(1);
    clock.advance(10_001);
    answer = () => Promise.reject(new GantryError('AUTH.API_KEY_INVALID', 'unauthenticated', 'x'));
    await expect(verifier.verify('gtk_a')).rejects.toMatchObject({ code: 'AUTH.API_KEY_INVALID' });
    await expect(verifier.verify('gtk_a')).rejects.toMatchObject({ code: 'AUTH.API_KEY_INVALID' });
    expect(asked).toBe(2);
    answer = () => Promise.reject(new GantryError('SERVICE.UNAVAILABLE', 'unavailable', 'x'));
    await expect(verifier.verify('gtk_b')).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(verifier.verify('gtk_b')).rejects.toMatchObject({ kind: 'unavailable' });
    expect(asked).toBe(4);
  });
});

describe('download tickets', () => {
  const principal: Principal = {
    userId: 'u',
    name: 'n',
    email: 'e',
    role: 'admin',
    via: 'api_key',
    sessionId: null,
    scopes: ['tasks:read'],
    mustChangePassword: false,
    expiresAt: null,
  };
  const ticketOf = (url: string) => new URL(url, 'http://x').searchParams.get('ticket') ?? '';

  it('speak for their user, for one path and one minute, and never for more than the key', () => {
    const clock = new ManualClock();
    const tickets = new DownloadTickets(clock);
    const ticket = ticketOf(tickets.issue(principal, '/api/a').url);
    expect(tickets.redeem(ticket, '/api/a')).toMatchObject({
      userId: 'u',
      role: 'user',
      scopes: ['tasks:read'],
      via: 'ticket',
    });
    expect(() => tickets.redeem(ticket, '/api/b')).toThrowError(/no longer good/);
    expect(() => new DownloadTickets(clock).redeem(ticket, '/api/a')).toThrowError(/no longer good/);
    const [body = '', signature = ''] = ticket.split('.');
    const forged = Buffer.from(Buffer.from(body, 'base64url').toString().replace('"u"', '"v"')).toString('base64url');
    expect(() => tickets.redeem(`${forged}.${signature}`, '/api/a')).toThrowError(/no longer good/);
    clock.advance(60_000);
    expect(() => tickets.redeem(ticket, '/api/a')).toThrowError(/no longer good/);
  });

  it('are shared by gateways with the same secret', () => {
    const clock = new ManualClock();
    const [one, two] = [new DownloadTickets(clock, 's'.repeat(32)), new DownloadTickets(clock, 's'.repeat(32))];
    expect(two.redeem(ticketOf(one.issue(principal, '/a').url), '/a').userId).toBe('u');
  });
});
