import { expect, it } from 'vitest';
import { KeyUsage } from './key-usage.js';
import type { KeyUsageStore } from './key-usage-store.port.js';

class SharedStore implements KeyUsageStore {
  readonly saved = new Map<string, number>();

  async load(): Promise<ReadonlyMap<string, number>> {
    return new Map(this.saved);
  }

  async save(keyId: string, usedAt: number): Promise<void> {
    this.saved.set(keyId, usedAt);
  }
}

it('replicas learn each other’s uses of a key, and an older use never replaces a newer one', async () => {
  const store = new SharedStore();
  const [left, right] = [new KeyUsage(store), new KeyUsage(store)];
  left.touch('k', 20);
  right.touch('k', 10);
  await left.exchange();
  await right.exchange();
  expect(store.saved.get('k')).toBe(20);
  expect(right.lastUsedAt('k')).toBe(20);
  right.touch('k', 30);
  await right.exchange();
  await left.exchange();
  expect(left.lastUsedAt('k')).toBe(30);
});
