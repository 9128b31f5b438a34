import os from 'node:os';
import type { Command } from 'commander';
import { GantryClient } from '@gantry/client/gantry-client';
import type { CliEnvironment } from '../environment.js';
import { readConfig, removeConfig, writeConfig } from '../session/config-file.js';
import { DEFAULT_API_URL } from '../session/connect.js';
import { ask, askSecret, readStandardInput } from '../session/prompt.js';

interface LoginOptions {
  url?: string;
  email?: string;
  passwordStdin?: boolean;
  newPassword?: string;
  admin?: boolean;
}

export function addLoginCommands(program: Command, environment: CliEnvironment): void {
  program
    .command('login')
    .description('log in and keep an API key for this computer')
    .option('--url <address>', `address of the API (default ${DEFAULT_API_URL})`)
    .option('--email <address>', 'e-mail address (or GANTRY_EMAIL)')
    .option('--password-stdin', 'read the password from standard input (or set GANTRY_PASSWORD)')
    .option('--admin', 'make a key that may administrate, for gantry admin')
    .option('--new-password <password>', 'set this password if the account must change it')
    .action(async (options: LoginOptions) => {
      const apiUrl =
        options.url ?? environment.GANTRY_API_URL ?? readConfig(environment.configFile)?.apiUrl ?? DEFAULT_API_URL;
      const email = options.email ?? environment.GANTRY_EMAIL ?? (await ask('E-mail'));
      const password =
        options.passwordStdin === true
          ? await readStandardInput()
          : (environment.GANTRY_PASSWORD ?? (await askSecret('Password')));
      const key = await obtainKey(apiUrl, email, password, options);
      writeConfig(environment.configFile, { apiUrl, apiKey: key, email });
      console.log(`Logged in to ${apiUrl} as ${email}. The key is in ${environment.configFile}.`);
    });

  program
    .command('logout')
    .description('forget the stored key')
    .action(() => {
      removeConfig(environment.configFile);
      console.log('Logged out on this computer.');
    });
}

async function obtainKey(
  apiUrl: string,
  email: string,
  password: string,
  { newPassword, admin = false }: LoginOptions,
): Promise<string> {
  let token: string | undefined;
  const client = new GantryClient({ apiUrl, credentials: () => token });
  const first = await client.logIn(email, password);
  token = first.accessToken;
  if (first.user.mustChangePassword) {
    const chosen =
      newPassword ?? (await askSecret('This password is good for one log-in. New password (at least 10 characters)'));
    await client.changePassword(password, chosen);
    token = (await client.logIn(email, chosen)).accessToken;
  }
  const { key } = await client.createApiKey(
    `gantry command on ${os.hostname()}`,
    admin ? ['admin', 'tasks:read', 'tasks:write', 'workers:read', 'telemetry:read'] : undefined,
  );
  return key;
}
