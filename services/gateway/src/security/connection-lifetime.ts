import type { Clock } from '@gantry/kernel/clock';
import type { Authenticator, Credentials } from './authenticator.js';
import type { Principal } from './principal.js';

/** A key that was revoked loses its open connections after at most this time. */
const RECHECK_MS = 30_000;
/** Longer timers overflow and fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface ConnectionLifetime {
  /** Aborts when the credentials of the connection are no longer good. */
  signal: AbortSignal;
  end(): void;
}

/** Long connections are checked as long as they last: until the token's end, or by asking again about a key. */
export class ConnectionLifetimes {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly clock: Clock,
  ) {}

  watch(principal: Principal, credentials: Credentials): ConnectionLifetime {
    const controller = new AbortController();
    const timers: NodeJS.Timeout[] = [];
    if (principal.expiresAt !== null) {
      timers.push(
        setTimeout(
          () => controller.abort(),
          Math.min(MAX_TIMER_MS, Math.max(0, principal.expiresAt - this.clock.now())),
        ),
      );
    }
    if (principal.via === 'api_key') {
      timers.push(
        setInterval(() => {
          this.authenticator.authenticate(credentials).catch((error: { kind?: string }) => {
            if (error.kind !== 'unavailable') controller.abort();
          });
        }, RECHECK_MS),
      );
    }
    for (const timer of timers) timer.unref();
    return { signal: controller.signal, end: () => timers.forEach((timer) => clearInterval(timer)) };
  }
}
