import type { KeyUsageStore } from './key-usage-store.port.js';

/**
 * When each API key was last used: noted in memory, exchanged with the other replicas now and then by `exchange`. A use is not
 * an event; a hard crash loses what happened since the last exchange.
 */
export class KeyUsage {
  private readonly times = new Map<string, number>();
  private readonly unsaved = new Set<string>();

  constructor(private readonly store: KeyUsageStore) {}

  touch(keyId: string, now: number): void {
    this.times.set(keyId, now);
    this.unsaved.add(keyId);
  }

  lastUsedAt(keyId: string): number | null {
    return this.times.get(keyId) ?? null;
  }

  /** Takes in newer uses that others have saved, and saves the own ones that are newer than theirs. */
  async exchange(): Promise<void> {
    const saved = await this.store.load();
    for (const [keyId, usedAt] of saved) {
      if (usedAt > (this.times.get(keyId) ?? 0)) this.times.set(keyId, usedAt);
    }
    for (const keyId of [...this.unsaved]) {
      const usedAt = this.times.get(keyId);
      if (usedAt === undefined) continue;
      if (usedAt > (saved.get(keyId) ?? 0)) await this.store.save(keyId, usedAt);
      // Used again while it was being saved: stays for the next exchange.
      if (this.times.get(keyId) === usedAt) this.unsaved.delete(keyId);
    }
  }
}
