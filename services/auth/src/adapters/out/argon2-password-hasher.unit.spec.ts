import { describe, expect, it } from 'vitest';
import { Argon2PasswordHasher, owaspCost } from './argon2-password-hasher.js';

const cheap = { memoryCost: 8, timeCost: 1, parallelism: 1 };

describe('password hasher', () => {
  it('makes argon2id hashes with the OWASP cost, each with a salt of its own', async () => {
    const hasher = await Argon2PasswordHasher.create(owaspCost);
    const [one, two] = [await hasher.hash('secret'), await hasher.hash('secret')];
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(one).not.toBe(two);
    expect(await hasher.verify(one, 'secret')).toBe(true);
    expect(await hasher.verify(one, 'Secret')).toBe(false);
  });

  it('says no without a hash and to one it cannot read', async () => {
    const hasher = await Argon2PasswordHasher.create(cheap);
    expect(await hasher.verify(undefined, 'secret')).toBe(false);
    expect(await hasher.verify('$2b$10$abcdefghijklmnopqrstuv', 'secret')).toBe(false);
  });

  it('takes no longer for somebody registered than for nobody', async () => {
    const hasher = await Argon2PasswordHasher.create(owaspCost);
    const known = await hasher.hash('secret');
    const fastest = async (hash: string | undefined) => {
      let best = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 5; round += 1) {
        const start = performance.now();
        await hasher.verify(hash, 'wrong');
        best = Math.min(best, performance.now() - start);
      }
      return best;
    };
    const [somebody, nobody] = [await fastest(known), await fastest(undefined)];
    // A missing hash that was skipped would take microseconds instead of the milliseconds of 19 MiB.
    expect(nobody).toBeGreaterThan(somebody / 4);
  });

  it('answers all of many and refuses more than it can queue', async () => {
    const hasher = await Argon2PasswordHasher.create(cheap);
    const results = await Promise.allSettled(Array.from({ length: 400 }, () => hasher.hash('secret')));
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(150);
    expect(refused.every(({ reason }) => (reason as { code: string }).code === 'AUTH.BUSY')).toBe(true);
    await expect(hasher.hash('secret')).resolves.toContain('$argon2id$');
  });
});
