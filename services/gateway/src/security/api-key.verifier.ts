import { createHash } from 'node:crypto';
import type { OutputOf } from '@gantry/contracts/messaging/request';
import type { verifyApiKey } from '@gantry/contracts/auth/auth-requests';
import type { Clock } from '@gantry/kernel/clock';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { Principal } from './principal.js';

type Verified = OutputOf<typeof verifyApiKey>;
type Entry = { until: number; answer: Promise<Principal> };

/** A revoked key stops working after at most this time. */
const KEPT_MS = 10_000;
const MAX_ENTRIES = 10_000;

/** Asks the auth service about API keys and keeps the answer (also a refusal) for ten seconds, under the key's hash. */
export class ApiKeyVerifier {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly ask: (key: string) => Promise<Verified>,
    /** Monotonic: a time of day that is set back must not keep a revoked key alive. */
    private readonly clock: Clock,
  ) {}

  verify(key: string): Promise<Principal> {
    const digest = createHash('sha256').update(key).digest('base64');
    const now = this.clock.now();
    const known = this.entries.get(digest);
    if (known !== undefined && known.until > now) return known.answer;
    const answer = this.ask(key).then(principalFrom);
    this.entries.delete(digest);
    this.entries.set(digest, { until: now + KEPT_MS, answer });
    if (this.entries.size > MAX_ENTRIES) this.entries.delete(this.entries.keys().next().value ?? digest);
    // "Cannot tell right now" must not outlive the outage.
    answer.catch((error: unknown) => {
      const refused = error instanceof GantryError && (error.kind === 'unauthenticated' || error.kind === 'not_found');
      if (!refused && this.entries.get(digest)?.answer === answer) this.entries.delete(digest);
    });
    return answer;
  }
}

function principalFrom({ user, scopes }: Verified): Principal {
  return {
    userId: user.id,
    name: user.name,
    email: user.email,
    role: user.role,
    via: 'api_key',
    sessionId: null,
    scopes,
    mustChangePassword: user.mustChangePassword,
    expiresAt: null,
  };
}
