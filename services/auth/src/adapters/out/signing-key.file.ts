import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { GantryError } from '@gantry/kernel/gantry-error';

export interface SigningKey {
  readonly privateKey: KeyObject;
  /** The file can be read by others than its owner. */
  readonly exposed: boolean;
}

/** Reads the Ed25519 key (PKCS #8, PEM) at `path`; makes it, readable for its owner only, when there is none. */
export async function openSigningKey(path: string): Promise<SigningKey> {
  const pem = (await readIfPresent(path)) ?? (await createKey(path));
  const privateKey = parse(pem, path);
  const { mode } = await stat(path);
  return { privateKey, exposed: (mode & 0o077) !== 0 };
}

function parse(pem: string, path: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(pem);
  } catch {
    // Falls through to the message below: the parser's own words could quote the file.
  }
  if (key?.asymmetricKeyType === 'ed25519') return key;
  throw new GantryError(
    'AUTH.SIGNING_KEY_UNUSABLE',
    'invalid',
    `${path} holds no Ed25519 private key in PKCS #8 PEM form. Put one there, or remove the file to get a new key (everybody logs in again).`,
  );
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Written under another name first and linked: neither a crash nor a second process ever sees half a key, and the first wins. */
async function createKey(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(pem);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(draft, path);
    return pem;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return await readFile(path, 'utf8');
  } finally {
    await unlink(draft);
  }
}
