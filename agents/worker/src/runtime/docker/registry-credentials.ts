import { readFileSync } from 'node:fs';
import { GantryError } from '@gantry/kernel/gantry-error';
import { z } from 'zod';
import type { RegistryCredentials } from './docker-images.js';

const configSchema = z.object({ auths: z.record(z.string(), z.object({ auth: z.string().optional() })).default({}) });
const HUB = 'https://index.docker.io/v1/';

/** Registry host of an image reference; the first part is a host if it looks like one. */
export function registryOf(image: string): string {
  const [first = '', ...rest] = image.split('/');
  return rest.length > 0 && (first.includes('.') || first.includes(':') || first === 'localhost') ? first : HUB;
}

/** Credentials from a Docker `config.json`; read again for every pull, so that a rotated file works without a restart. */
export function registryCredentials(path: string | undefined): RegistryCredentials {
  if (path === undefined) return () => undefined;
  return (image) => {
    const registry = registryOf(image);
    let config: z.output<typeof configSchema>;
    try {
      config = configSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    } catch (error) {
      throw new GantryError(
        'WORKER.REGISTRY_CONFIG',
        'invalid',
        'The file named by GANTRY_WORKER_REGISTRY_CONFIG cannot be read. Write it like a Docker config.json.',
        {
          cause: error,
        },
      );
    }
    const auth = config.auths[registry]?.auth ?? config.auths[`https://${registry}`]?.auth;
    if (auth === undefined) return undefined;
    const decoded = Buffer.from(auth, 'base64').toString('utf8');
    const colon = decoded.indexOf(':');
    return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1), serveraddress: registry };
  };
}
