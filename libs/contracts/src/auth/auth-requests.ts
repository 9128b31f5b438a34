import { z } from 'zod';
import { roleSchema } from '../messaging/actor.js';
import { defineRequest } from '../messaging/request.js';

const time = z.number().int();
const email = z
  .email('Write an e-mail address such as ada@example.org.')
  .max(254)
  .transform((value) => value.toLowerCase());
const newPassword = z.string().min(10, 'Use at least 10 characters.').max(200);

export const scopes = ['tasks:read', 'tasks:write', 'workers:read', 'telemetry:read', 'admin'] as const;
export const scopeSchema = z.enum(scopes);
export type Scope = z.infer<typeof scopeSchema>;

export const userViewSchema = z.object({
  id: z.string(),
  email: z.string(),
  name: z.string(),
  role: roleSchema,
  mustChangePassword: z.boolean(),
  createdAt: time,
  lastLogInAt: time.nullable(),
});
export type UserView = z.infer<typeof userViewSchema>;

const client = { ip: z.string().max(64), userAgent: z.string().max(500) };

export const tokenPairSchema = z.object({
  /** EdDSA-signed JWT: sub = user id, claims `name`, `email`, `role`, `sid` (session id), `mcp` (must change password). */
  accessToken: z.string(),
  accessTokenExpiresAt: time,
  /** Opaque, single use. */
  refreshToken: z.string(),
  refreshTokenExpiresAt: time,
  user: userViewSchema,
});
export type TokenPair = z.infer<typeof tokenPairSchema>;

export const registerUser = defineRequest({
  subject: 'cmd.auth.register-user',
  input: z.strictObject({ email, password: newPassword, name: z.string().trim().min(1, 'Say your name.').max(100) }),
  output: userViewSchema,
});

export const logIn = defineRequest({
  subject: 'cmd.auth.log-in',
  input: z.strictObject({ email, password: z.string().min(1).max(200), ...client }),
  output: tokenPairSchema,
});

/** Rotates: the old refresh token dies; using it again revokes the whole session (token theft). */
export const refreshSession = defineRequest({
  subject: 'cmd.auth.refresh-session',
  input: z.strictObject({ refreshToken: z.string().min(1).max(500), ...client }),
  output: tokenPairSchema,
});

export const logOut = defineRequest({
  subject: 'cmd.auth.log-out',
  input: z.strictObject({ refreshToken: z.string().min(1).max(500) }),
  output: z.object({}),
});

export const getProfile = defineRequest({
  subject: 'query.auth.get-profile',
  input: z.strictObject({ userId: z.string() }),
  output: userViewSchema,
});

export const updateProfile = defineRequest({
  subject: 'cmd.auth.update-profile',
  input: z.strictObject({ userId: z.string(), name: z.string().trim().min(1).max(100) }),
  output: userViewSchema,
});

/** Ends every other session of the user. */
export const changePassword = defineRequest({
  subject: 'cmd.auth.change-password',
  input: z.strictObject({
    userId: z.string(),
    sessionId: z.string().optional(),
    currentPassword: z.string().min(1).max(200),
    newPassword,
  }),
  output: userViewSchema,
});

/** Admin only. */
export const listUsers = defineRequest({
  subject: 'query.auth.list-users',
  input: z.strictObject({ limit: z.int().min(1).max(500).default(100), after: z.string().optional() }),
  output: z.object({ users: z.array(userViewSchema), next: z.string().nullable() }),
});

/** Admin only; the last admin cannot be demoted. */
export const changeRole = defineRequest({
  subject: 'cmd.auth.change-role',
  input: z.strictObject({ userId: z.string(), role: roleSchema }),
  output: userViewSchema,
});

export const apiKeyViewSchema = z.object({
  id: z.string(),
  userId: z.string(),
  name: z.string(),
  /** First characters, to recognise it. */
  prefix: z.string(),
  scopes: z.array(scopeSchema),
  createdAt: time,
  expiresAt: time.nullable(),
  lastUsedAt: time.nullable(),
  revokedAt: time.nullable(),
});
export type ApiKeyView = z.infer<typeof apiKeyViewSchema>;

/** The key itself is in this answer only; the stream holds its hash. Form: `gtk_<id>_<secret>`. */
export const createApiKey = defineRequest({
  subject: 'cmd.auth.create-api-key',
  input: z.strictObject({
    userId: z.string(),
    name: z.string().trim().min(1, 'Name the key.').max(100),
    scopes: z.array(scopeSchema).min(1).default(['tasks:read', 'tasks:write', 'workers:read', 'telemetry:read']),
    expiresAt: time.optional(),
  }),
  output: z.object({ key: z.string(), apiKey: apiKeyViewSchema }),
});

export const listApiKeys = defineRequest({
  subject: 'query.auth.list-api-keys',
  input: z.strictObject({ userId: z.string() }),
  output: z.object({ apiKeys: z.array(apiKeyViewSchema) }),
});

export const revokeApiKey = defineRequest({
  subject: 'cmd.auth.revoke-api-key',
  input: z.strictObject({ userId: z.string(), keyId: z.string() }),
  output: apiKeyViewSchema,
});

export const sessionViewSchema = z.object({
  id: z.string(),
  userId: z.string(),
  ip: z.string(),
  userAgent: z.string(),
  startedAt: time,
  lastActiveAt: time,
  expiresAt: time,
});
export type SessionView = z.infer<typeof sessionViewSchema>;

export const listSessions = defineRequest({
  subject: 'query.auth.list-sessions',
  input: z.strictObject({ userId: z.string() }),
  output: z.object({ sessions: z.array(sessionViewSchema) }),
});

export const revokeSession = defineRequest({
  subject: 'cmd.auth.revoke-session',
  input: z.strictObject({ userId: z.string(), sessionId: z.string() }),
  output: z.object({}),
});

/** Who a verified API key speaks for. The gateway keeps an answer for at most 10 s. */
export const verifyApiKey = defineRequest({
  subject: 'query.auth.verify-api-key',
  input: z.strictObject({ key: z.string().min(1).max(500) }),
  output: z.object({ user: userViewSchema, keyId: z.string(), scopes: z.array(scopeSchema) }),
});

/** Public keys (RFC 7517 JWK set) with which access tokens are verified. */
export const getSigningKeys = defineRequest({
  subject: 'query.auth.get-signing-keys',
  input: z.object({}),
  output: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }),
});

export const TOKEN_ISSUER = 'gantry';
export const TOKEN_AUDIENCE = 'gantry-api';
