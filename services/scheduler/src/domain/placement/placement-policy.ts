import type { BitSet } from './bit-set.js';
import type { Shape } from './shape.js';
import type { WorkerIndex } from './worker-index.js';

export const policyNames = ['bin-pack', 'spread', 'round-robin'] as const;
export type PolicyName = (typeof policyNames)[number];

/** One question to a policy: which worker for this task? */
export interface PlacementSearch {
  readonly shape: Shape;
  readonly workers: WorkerIndex;
  /** Slots that may fit; everything else certainly does not. */
  readonly candidates: BitSet;
  /** Slots whose worker has the image already. */
  readonly imageHolders: BitSet | undefined;
  /** Slot that the queue's last task got; -1 = none yet. */
  readonly lastSlot: number;
  /** True if the task fits there now. */
  readonly accept: (slot: number) => boolean;
}

/**
 * Decides between workers that fit; it can neither place what does not fit nor change the order of the queue. Pure: the
 * same search gives the same slot.
 */
export interface PlacementPolicy {
  readonly name: PolicyName;
  /** A slot that `accept` took, or -1 if none fits. */
  choose(search: PlacementSearch): number;
}
