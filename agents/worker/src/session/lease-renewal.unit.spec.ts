import { ManualClock } from '@gantry/kernel/clock';
import { expect, it } from 'vitest';
import type { StoredRenewal } from './agent-store.js';
import type { BootClock } from './boot-clock.js';
import { LeaseRenewal } from './lease-renewal.js';

class FakeBootClock implements BootClock {
  constructor(
    readonly bootId: string | undefined,
    public time: number,
  ) {}

  now(): number {
    return this.time;
  }
}

class MemoryRenewals {
  stored: StoredRenewal | undefined;

  leaseRenewal(): StoredRenewal | undefined {
    return this.stored;
  }

  saveLeaseRenewal(renewal: StoredRenewal): void {
    this.stored = renewal;
  }
}

function renewedOnce(bootId: string | undefined) {
  const store = new MemoryRenewals();
  const clock = new ManualClock();
  const boot = new FakeBootClock(bootId, 1_000_000);
  const renewal = new LeaseRenewal(store, clock, boot);
  boot.time += 300;
  clock.advance(300);
  renewal.renew(1_000_100);
  return { store, clock, boot, renewal };
}

it('counts from the sending of the heartbeat, and never back', () => {
  const { renewal } = renewedOnce('b1');
  expect(renewal.at).toBe(1_000_100);
  expect(renewal.ageMs).toBe(200);
  renewal.renew(999_000);
  expect(renewal.at).toBe(1_000_100);
});

it('goes on after a restart of the agent, although the time of day was set', () => {
  const { store, clock } = renewedOnce('b1');
  clock.advance(-3_600_000);
  const again = new LeaseRenewal(store, clock, new FakeBootClock('b1', 1_030_000));
  expect(again.ageMs).toBe(29_900);
});

it.each([
  ['after another boot', 'b1', 'b2'],
  ['where boots have no name', undefined, undefined],
])('uses the time of day %s', (_, before, after) => {
  const { store, clock } = renewedOnce(before);
  clock.advance(20_000);
  const again = new LeaseRenewal(store, clock, new FakeBootClock(after, 500));
  expect(again.ageMs).toBe(20_200);
});

it('gives a broker a moment after the start and after the connection, until it has renewed', () => {
  const store = new MemoryRenewals();
  const boot = new FakeBootClock('b1', 0);
  const renewal = new LeaseRenewal(store, new ManualClock(), boot);
  expect(renewal.isPatient).toBe(true);
  boot.time = 3_000;
  expect(renewal.isPatient).toBe(false);
  renewal.giveTime();
  expect(renewal.isPatient).toBe(true);
  renewal.renew(3_000);
  expect(renewal.isPatient).toBe(false);
});

it('remembers the longest gap between renewals until somebody takes it', () => {
  const { boot, renewal } = renewedOnce('b1');
  renewal.takeLongestGap();
  boot.time = 1_020_000;
  renewal.renew(1_019_900);
  boot.time = 1_020_500;
  renewal.renew(1_020_400);
  expect(renewal.takeLongestGap()).toBe(19_800);
  expect(renewal.takeLongestGap()).toBe(100);
  boot.time = 1_040_400;
  expect(renewal.takeLongestGap()).toBe(20_000);
});

it('has an endless gap before the first renewal of all, and none of its own making after a short restart', () => {
  const { store, clock } = renewedOnce('b1');
  expect(new LeaseRenewal(new MemoryRenewals(), clock, new FakeBootClock('b1', 0)).takeLongestGap()).toBe(Infinity);
  expect(new LeaseRenewal(store, clock, new FakeBootClock('b1', 1_003_000)).takeLongestGap()).toBe(2_900);
});
