/**
 * One piece of the state. Reading a million of them is a matter of how much has to be parsed and made into objects, so an entry says
 * which part of it is which, and comes back in a `SnapshotPage`, out of which each part is taken when it is needed.
 */
export interface SnapshotEntry {
  /** By which it can be found; empty if nobody looks for it. */
  readonly key: string;
  /** NaN = none. */
  readonly numbers: readonly number[];
  /** JSON objects that other entries mostly have too. A different one is stored once for many entries, and they get back one object. */
  readonly shared: readonly object[];
  /** Come back as they are. */
  readonly texts: readonly string[];
}
