import { z } from 'zod';
import { roleSchema } from '../messaging/actor.js';
import { scopeSchema } from './auth-requests.js';

const time = z.number().int();

/**
 * Events of stream AUTH, version 1. Aggregates: `auth.email.<hash>` (reserves the address), `auth.user.<id>`,
 * `auth.session.<id>`, `auth.key.<id>`. Only hashes of secrets are ever stored.
 */
export const authEventSchemas = {
  EmailReserved: z.object({ userId: z.string(), at: time }),
  UserRegistered: z.object({
    userId: z.string(),
    email: z.string(),
    name: z.string(),
    role: roleSchema,
    /** argon2id in PHC string form. */
    passwordHash: z.string(),
    mustChangePassword: z.boolean(),
    at: time,
  }),
  ProfileUpdated: z.object({ userId: z.string(), name: z.string(), at: time }),
  PasswordChanged: z.object({ userId: z.string(), passwordHash: z.string(), at: time }),
  RoleChanged: z.object({ userId: z.string(), role: roleSchema, at: time }),
  LogInFailed: z.object({ userId: z.string(), ip: z.string(), at: time }),
  SessionStarted: z.object({
    sessionId: z.string(),
    userId: z.string(),
    /** Hex SHA-256 of the refresh token's secret. */
    tokenHash: z.string(),
    ip: z.string(),
    userAgent: z.string(),
    expiresAt: time,
    at: time,
  }),
  SessionRefreshed: z.object({
    sessionId: z.string(),
    tokenHash: z.string(),
    ip: z.string(),
    userAgent: z.string(),
    at: time,
  }),
  SessionEnded: z.object({
    sessionId: z.string(),
    reason: z.enum(['logged_out', 'revoked', 'token_reused', 'password_changed', 'expired']),
    at: time,
  }),
  ApiKeyCreated: z.object({
    keyId: z.string(),
    userId: z.string(),
    name: z.string(),
    prefix: z.string(),
    secretHash: z.string(),
    scopes: z.array(scopeSchema),
    expiresAt: time.nullable(),
    at: time,
  }),
  ApiKeyRevoked: z.object({ keyId: z.string(), at: time }),
} as const;

export type AuthEventType = keyof typeof authEventSchemas;
export type AuthEventData<T extends AuthEventType> = z.output<(typeof authEventSchemas)[T]>;
export type AuthEvent = { [T in AuthEventType]: { readonly type: T; readonly data: AuthEventData<T> } }[AuthEventType];

export const AUTH_SCHEMA_VERSION = 1;
