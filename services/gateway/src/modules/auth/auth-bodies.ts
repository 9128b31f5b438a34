import { z } from 'zod';
import { scopeSchema } from '@gantry/contracts/auth/auth-requests';

/** Bodies of /api/auth: the contracts' inputs without what the gateway knows itself. The contracts check the values. */
export const authBodies = {
  register: z.strictObject({ email: z.string(), password: z.string(), name: z.string() }),
  logIn: z.strictObject({
    email: z.string(),
    password: z.string(),
    /** False: the refresh token comes in the body, for programs. */
    cookie: z.boolean().default(true),
  }),
  refresh: z.strictObject({ refreshToken: z.string().min(1).max(500).optional() }),
  profile: z.strictObject({ name: z.string() }),
  password: z.strictObject({ currentPassword: z.string(), newPassword: z.string() }),
  createKey: z.strictObject({
    name: z.string(),
    scopes: z.array(scopeSchema).min(1).optional(),
    expiresAt: z.int().optional(),
  }),
} as const;
