import { z } from 'zod';

export const roles = ['admin', 'user'] as const;
export const roleSchema = z.enum(roles);
export type Role = z.infer<typeof roleSchema>;

/** On whose behalf something happens. Stored in every commit, so the audit trail needs no second source. */
export const actorSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('user'), id: z.string(), name: z.string(), role: roleSchema }),
  z.object({ kind: z.literal('service'), id: z.string() }),
  z.object({ kind: z.literal('worker'), id: z.string() }),
  z.object({ kind: z.literal('anonymous') }),
]);
export type Actor = z.infer<typeof actorSchema>;
export type UserActor = Extract<Actor, { kind: 'user' }>;
