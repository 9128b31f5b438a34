import type { Clock } from '@gantry/kernel/clock';
import type { AgentStore } from './agent-store.js';
import type { BootClock } from './boot-clock.js';

/** A broker that answers at once decides by what it says; this long it gets for that. */
const PATIENCE_MS = 3_000;

/**
 * When the leases of this agent were last renewed: at the sending of the newest acknowledged heartbeat, whichever life of the agent
 * sent it. Kept on the clock of the boot, because the time of day may be set; after a boot no container runs that it could concern.
 */
export class LeaseRenewal {
  private renewedAt: number;
  private patientUntil: number;
  private longestGapMs = 0;

  constructor(
    private readonly store: Pick<AgentStore, 'leaseRenewal' | 'saveLeaseRenewal'>,
    private readonly clock: Clock,
    private readonly bootClock: BootClock,
  ) {
    const now = bootClock.now();
    const stored = store.leaseRenewal();
    this.renewedAt = now;
    // Nothing is known of an earlier life: whatever was assigned to it may have been given up.
    if (stored === undefined) this.longestGapMs = Number.POSITIVE_INFINITY;
    if (stored?.boot !== undefined && stored.boot.id === bootClock.bootId) this.renewedAt = stored.boot.at;
    else if (stored !== undefined) this.renewedAt = now - Math.max(0, clock.now() - stored.at);
    this.patientUntil = now + PATIENCE_MS;
  }

  /** On the boot clock. */
  get at(): number {
    return this.renewedAt;
  }

  get ageMs(): number {
    return this.bootClock.now() - this.renewedAt;
  }

  now(): number {
    return this.bootClock.now();
  }

  /** True while the broker gets its moment to renew what an earlier life of the agent held. */
  get isPatient(): boolean {
    return this.bootClock.now() < this.patientUntil;
  }

  /** The longest time between two renewals since the last call, the time since the newest one included. */
  takeLongestGap(): number {
    const longest = Math.max(this.longestGapMs, this.ageMs);
    this.longestGapMs = 0;
    return longest;
  }

  /** There is a connection now, so the broker may answer. */
  giveTime(): void {
    this.patientUntil = this.bootClock.now() + PATIENCE_MS;
  }

  /** A heartbeat that was sent at `sentAt` (boot clock) is acknowledged. */
  renew(sentAt: number): void {
    this.patientUntil = Number.NEGATIVE_INFINITY;
    if (sentAt < this.renewedAt) return;
    this.longestGapMs = Math.max(this.longestGapMs, sentAt - this.renewedAt);
    this.renewedAt = sentAt;
    const { bootId } = this.bootClock;
    this.store.saveLeaseRenewal({
      at: this.clock.now() - this.ageMs,
      ...(bootId === undefined ? {} : { boot: { id: bootId, at: sentAt } }),
    });
  }
}
