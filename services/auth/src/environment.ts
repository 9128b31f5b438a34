import { join } from 'node:path';
import { baseEnvironmentShape, parseEnvironment } from '@gantry/nest-platform/environment';
import { z } from 'zod';

const environmentSchema = z
  .object({
    ...baseEnvironmentShape,
    /** Folder of everything this installation keeps outside the streams. */
    GANTRY_DATA: z.string().default('.gantry'),
    GANTRY_ADMIN_EMAIL: z
      .email('Write an e-mail address.')
      .default('admin@gantry.local')
      .transform((email) => email.toLowerCase()),
    GANTRY_ADMIN_PASSWORD: z.string().min(10, 'Use at least 10 characters.').max(200).optional(),
    AUTH_SIGNING_KEY_FILE: z.string().optional(),
    AUTH_REGISTRATION: z.enum(['open', 'closed']).default('open'),
  })
  .transform((variables) => ({
    ...variables,
    signingKeyFile: variables.AUTH_SIGNING_KEY_FILE ?? join(variables.GANTRY_DATA, 'auth', 'signing-key.pem'),
  }));

export type AuthEnvironment = z.output<typeof environmentSchema>;

export function readEnvironment(source?: NodeJS.ProcessEnv): AuthEnvironment {
  return parseEnvironment(environmentSchema, source);
}
