const KEPT = 20_000;

/**
 * Keys of the messages that this process finished lately. A broker that was killed delivers some acknowledged messages again,
 * and may count their deliveries from 1 again; those need only another acknowledgement.
 */
export class RecentDeliveries {
  private readonly keys = new Set<string>();

  has(key: string): boolean {
    return this.keys.has(key);
  }

  add(key: string): void {
    this.keys.add(key);
    if (this.keys.size <= KEPT) return;
    const oldest = this.keys.values().next().value;
    if (oldest !== undefined) this.keys.delete(oldest);
  }
}
