/** How far a stream had been read: everything up to `sequence` is in the state. */
export interface StreamPosition {
  /** 0 = nothing was read. */
  readonly sequence: number;
  /**
   * Id of the commit at `sequence`, empty for 0. A stream that was put back from a backup and then went on has another commit
   * there, and the snapshot is about a future that did not happen.
   */
  readonly commitId: string;
}

/** By name of the stream. */
export type StreamPositions = Readonly<Record<string, StreamPosition>>;

export interface SnapshotDraft<Entry> {
  readonly positions: StreamPositions;
  /**
   * JSON values, asked for a few at a time while the service goes on. An entry may therefore be newer than `positions` say: the fold
   * must take a commit that is in an entry already as known.
   */
  readonly entries: Iterable<Entry>;
}

export interface StoredSnapshot<Entry> {
  readonly positions: StreamPositions;
  /** All entries in their order, in batches of moderate size. Whole and undamaged: this was checked before. */
  batches(): AsyncIterable<readonly Entry[]>;
}

export interface SavedSnapshot {
  readonly entries: number;
  /** As stored, compressed. */
  readonly bytes: number;
}

/**
 * Keeps one snapshot per name. A snapshot saves time and never holds truth: a lost, damaged or outdated one only means a
 * longer replay, so `load` answers undefined for whatever it cannot read.
 */
export interface SnapshotStore {
  /** Undefined if there is none, if it is damaged, or if it was written with another `version`. */
  load<Entry>(name: string, version: number): Promise<StoredSnapshot<Entry> | undefined>;
  /** Positions of the present snapshot without its entries; undefined as for `load`. */
  positions(name: string, version: number): Promise<StreamPositions | undefined>;
  /**
   * Replaces the snapshot of this name; `version` is the version of the entries' form. A reader never sees half of one. Undefined
   * if another writer was faster or the signal aborted: then nothing is left of it.
   */
  save<Entry>(
    name: string,
    version: number,
    draft: SnapshotDraft<Entry>,
    signal?: AbortSignal,
  ): Promise<SavedSnapshot | undefined>;
  /** Takes away a snapshot that turned out to be of no use. */
  forget(name: string): Promise<void>;
}
