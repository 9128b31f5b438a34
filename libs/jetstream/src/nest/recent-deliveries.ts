import { GenerationalMap } from '@gantry/kernel/generational-map';

const KEPT = 20_000;

/**
 * Keys of the messages that this process finished lately. A broker that was killed delivers some acknowledged messages again,
 * and may count their deliveries from 1 again; those need only another acknowledgement.
 */
export class RecentDeliveries {
  private readonly keys = new GenerationalMap<string, true>(KEPT);

  has(key: string): boolean {
    return this.keys.has(key);
  }

  add(key: string): void {
    this.keys.set(key, true);
  }
}
