import { GantryClient } from '@gantry/client/gantry-client';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { CliEnvironment } from '../environment.js';
import { readConfig } from './config-file.js';

export const DEFAULT_API_URL = 'http://localhost:4000';

/** A client with the stored or given key. The environment wins over the file, so that scripts need no file. */
export function connect(environment: CliEnvironment): GantryClient {
  const config = readConfig(environment.configFile);
  const apiKey = environment.GANTRY_API_KEY ?? config?.apiKey;
  if (apiKey === undefined) {
    throw new GantryError(
      'CLI.NOT_LOGGED_IN',
      'unauthenticated',
      'Log in first: gantry login (or set GANTRY_API_KEY).',
    );
  }
  return new GantryClient({
    apiUrl: environment.GANTRY_API_URL ?? config?.apiUrl ?? DEFAULT_API_URL,
    credentials: () => apiKey,
  });
}
