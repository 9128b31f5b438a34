import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { afterAll, describe, expect, it } from 'vitest';
import { openSigningKey } from './signing-key.file.js';

const folder = temporaryFolder('gantry-auth-key');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const publicOf = (key: { export(options: { format: 'jwk' }): object }) => key.export({ format: 'jwk' });

describe('signing key file', () => {
  it('is made for its owner only, once, also when two processes start together', async () => {
    const path = join(folder, 'one', 'auth', 'signing-key.pem');
    const [first, second] = await Promise.all([openSigningKey(path), openSigningKey(path)]);
    const third = await openSigningKey(path);
    expect(publicOf(first.privateKey)).toEqual(publicOf(second.privateKey));
    expect(publicOf(first.privateKey)).toEqual(publicOf(third.privateKey));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(readdirSync(dirname(path))).toEqual(['signing-key.pem']);
    expect(third.exposed).toBe(false);
  });

  it('tells when others can read it', async () => {
    const path = join(folder, 'exposed.pem');
    await openSigningKey(path);
    chmodSync(path, 0o644);
    expect((await openSigningKey(path)).exposed).toBe(true);
  });

  it.each([
    ['no key at all', 'secret rubbish'],
    [
      'a key of another kind',
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ],
  ])('is refused, kept and not quoted when it holds %s', async (_, content) => {
    const path = join(folder, 'wrong.pem');
    writeFileSync(path, content);
    await expect(openSigningKey(path)).rejects.toMatchObject({
      code: 'AUTH.SIGNING_KEY_UNUSABLE',
      message: expect.not.stringContaining(content),
    });
    expect(readFileSync(path, 'utf8')).toBe(content);
  });
});
