import type { AuthEnvironment } from './environment.js';

export const AUTH_SETTINGS = Symbol('auth.settings');

/** What the module needs from the environment. */
export type AuthSettings = Pick<
  AuthEnvironment,
  'signingKeyFile' | 'AUTH_REGISTRATION' | 'GANTRY_ADMIN_EMAIL' | 'GANTRY_ADMIN_PASSWORD'
>;
