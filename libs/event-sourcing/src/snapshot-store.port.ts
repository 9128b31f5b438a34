/** A state and the stream sequence up to which it holds everything. */
export interface Snapshot<State> {
  sequence: number;
  state: State;
}

/**
 * Keeps the newest snapshot per name. A snapshot saves time and never holds truth: a lost, damaged or outdated one only means a
 * longer replay, so `load` answers undefined for whatever it cannot read.
 */
export interface SnapshotStore {
  /** Undefined if there is none, if it is damaged, or if it was written with another `version`. */
  load<State>(name: string, version: number): Promise<Snapshot<State> | undefined>;
  /**
   * Replaces the snapshot of this name; `version` is the version of the state's form. A reader never sees half of one.
   * A snapshot that is older than the present one is not stored.
   */
  save<State>(name: string, version: number, snapshot: Snapshot<State>): Promise<void>;
}
