import type { KeyUsageStore } from './key-usage-store.port.js';

/**
 * When each API key was last used: noted in memory, written down now and then by `flush`. A use is not an event; a hard
 * crash loses what happened since the last flush, and another replica's uses show up after its flush and a restart here.
 */
export class KeyUsage {
  private readonly times = new Map<string, number>();
  private readonly unsaved = new Set<string>();

  constructor(private readonly store: KeyUsageStore) {}

  async load(): Promise<void> {
    for (const [keyId, usedAt] of await this.store.load()) this.times.set(keyId, usedAt);
  }

  touch(keyId: string, now: number): void {
    this.times.set(keyId, now);
    this.unsaved.add(keyId);
  }

  lastUsedAt(keyId: string): number | null {
    return this.times.get(keyId) ?? null;
  }

  async flush(): Promise<void> {
    for (const keyId of [...this.unsaved]) {
      const usedAt = this.times.get(keyId);
      if (usedAt === undefined) continue;
      await this.store.save(keyId, usedAt);
      // Used again while it was being saved: stays for the next flush.
      if (this.times.get(keyId) === usedAt) this.unsaved.delete(keyId);
    }
  }
}
