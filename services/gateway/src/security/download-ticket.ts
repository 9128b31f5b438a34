import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { roleSchema } from '@gantry/contracts/messaging/actor';
import type { Clock } from '@gantry/kernel/clock';
import { GantryError } from '@gantry/kernel/gantry-error';
import { effectiveRole, type Principal } from './principal.js';

const LIFETIME_MS = 60_000;

const payloadSchema = z.object({
  path: z.string(),
  userId: z.string(),
  name: z.string(),
  role: roleSchema,
  expiresAt: z.number(),
});

export interface DownloadTicket {
  /** Path on the API host, ticket included: good for a plain link, without a header. */
  url: string;
  expiresAt: number;
}

/**
 * A browser cannot put a header on a download link. A ticket stands in for it: signed, for one path and one user, good for
 * a minute, and only for reading.
 */
export class DownloadTickets {
  private readonly key: Buffer;

  constructor(
    private readonly clock: Clock,
    secret?: string,
  ) {
    this.key = secret === undefined ? randomBytes(32) : Buffer.from(secret);
  }

  issue(principal: Principal, path: string, query: Record<string, string> = {}): DownloadTicket {
    const expiresAt = this.clock.now() + LIFETIME_MS;
    const payload = { path, userId: principal.userId, name: principal.name, role: effectiveRole(principal), expiresAt };
    const body = Buffer.from(JSON.stringify(payload)).toString('base64url');
    const ticket = `${body}.${this.sign(body).toString('base64url')}`;
    return { url: `${path}?${new URLSearchParams({ ...query, ticket }).toString()}`, expiresAt };
  }

  /** The principal a ticket speaks for; throws when it is forged, old, or for another path. */
  redeem(ticket: string, path: string): Principal {
    const [body = '', signature = ''] = ticket.split('.');
    const given = Buffer.from(signature, 'base64url');
    const right = this.sign(body);
    if (given.length !== right.length || !timingSafeEqual(given, right)) throw badTicket();
    const payload = payloadSchema.parse(JSON.parse(Buffer.from(body, 'base64url').toString()));
    if (payload.path !== path || payload.expiresAt <= this.clock.now()) throw badTicket();
    return {
      userId: payload.userId,
      name: payload.name,
      email: '',
      role: payload.role,
      via: 'ticket',
      sessionId: null,
      scopes: payload.role === 'admin' ? ['tasks:read', 'admin'] : ['tasks:read'],
      mustChangePassword: false,
      expiresAt: payload.expiresAt,
    };
  }

  private sign(body: string): Buffer {
    return createHmac('sha256', this.key).update(body).digest();
  }
}

function badTicket(): GantryError {
  return new GantryError(
    'AUTH.TICKET_INVALID',
    'unauthenticated',
    'The download link is no longer good. Ask for a new one.',
  );
}
