import type { SnapshotEntry } from './snapshot-entry.js';
import type { SnapshotPage } from './snapshot-page.js';

/** A message that could not be taken in, and with which the later ones of its subject were held aside. */
export interface HeldMessage {
  readonly subject: string;
  readonly sequence: number;
}

/** How far a stream had been read: everything up to `sequence` is in the state, except for what is `held`. */
export interface StreamPosition {
  /** 0 = nothing was read. */
  readonly sequence: number;
  /**
   * Id of the commit at `sequence`, empty for 0. A stream that was put back from a backup and then went on has another commit
   * there, and the snapshot is about a future that did not happen.
   */
  readonly commitId: string;
  /** Absent = nothing. A start from here has to meet these again. */
  readonly held?: readonly HeldMessage[];
}

/** By name of the stream. */
export type StreamPositions = Readonly<Record<string, StreamPosition>>;

export interface SnapshotDraft {
  readonly positions: StreamPositions;
  /**
   * Asked for a few at a time while the service goes on. An entry may therefore be newer than `positions` say: the fold must take a
   * commit that is in an entry already as known.
   */
  readonly entries: Iterable<SnapshotEntry>;
  /** True: nothing else has to be done meanwhile, so that saving may take the whole time. Asked again and again; absent = never. */
  readonly isUrgent?: () => boolean;
}

export interface StoredSnapshot {
  readonly positions: StreamPositions;
  /**
   * All entries in their order; those of one page have one layout. Can be read once. Whole and undamaged: this was checked before.
   */
  pages(): AsyncIterable<SnapshotPage>;
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
  load(name: string, version: number): Promise<StoredSnapshot | undefined>;
  /** Positions of the present snapshot without its entries; undefined as for `load`. */
  positions(name: string, version: number): Promise<StreamPositions | undefined>;
  /**
   * Replaces the snapshot of this name; `version` is the version of the entries' form. A reader never sees half of one. Undefined
   * if another writer was faster or the signal aborted: then nothing is left of it.
   */
  save(name: string, version: number, draft: SnapshotDraft, signal?: AbortSignal): Promise<SavedSnapshot | undefined>;
  /** Takes away a snapshot that turned out to be of no use. */
  forget(name: string): Promise<void>;
}
