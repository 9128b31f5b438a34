/** Keeps when each API key was last used. Coarse on purpose: losing the newest times harms nobody. */
export interface KeyUsageStore {
  /** Key id to epoch milliseconds. */
  load(): Promise<ReadonlyMap<string, number>>;
  save(keyId: string, usedAt: number): Promise<void>;
}
