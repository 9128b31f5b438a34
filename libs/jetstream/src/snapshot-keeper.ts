import { setTimeout as wait } from 'node:timers/promises';
import type {
  SnapshotDraft,
  SnapshotStore,
  StreamPosition,
  StreamPositions,
} from '@gantry/event-sourcing/snapshot-store.port';
import type { SnapshotPage } from '@gantry/event-sourcing/snapshot-page';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { Logger } from '@gantry/nest-platform/logger';
import type { NatsConnection } from '@nats-io/transport-node';
import { manager, readableStream } from './stream-admin.js';

export interface SnapshotPolicy {
  /** A snapshot is due after so many commits ... */
  readonly everyCommits: number;
  /** ... or, if there was any commit, after so long. */
  readonly everyMs: number;
  readonly checkMs: number;
  /** With fewer commits since the last one, a clean stop saves none: reading them again takes less time. */
  readonly atStopFromCommits: number;
  readonly atStopMs: number;
}

/** 100,000 commits are read in about 1.5 s of CPU time. */
const defaultPolicy: SnapshotPolicy = {
  everyCommits: 100_000,
  everyMs: 600_000,
  checkMs: 5_000,
  atStopFromCommits: 20_000,
  atStopMs: 3_000,
};
/** Saving, half of which is rest, takes at most this part of the time: a large state is saved less often. */
const LARGEST_SHARE = 1 / 10;

export interface SnapshotKeeperOptions {
  readonly nc: NatsConnection;
  readonly store: SnapshotStore;
  readonly name: string;
  /** Of the form of the entries and of the fold behind them: raise it whenever either changes. */
  readonly version: number;
  readonly logger: Logger;
  /** Positions and entries as of now; undefined if what is held aside is too much for a snapshot. Called between two messages. */
  capture(): SnapshotDraft | undefined;
  readonly policy?: Partial<SnapshotPolicy>;
}

/**
 * The life of one service's snapshot: takes it in at start if it belongs to the present streams, and saves a new one now and then and
 * at a clean stop. Replicas share it: who finds a recent one of another replica saves none.
 */
export class SnapshotKeeper {
  private readonly policy: SnapshotPolicy;
  private readonly abort = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private saving: Promise<void> | undefined;
  private commits = 0;
  private lastEnd = performance.now();
  private lastTook = 0;
  private stopping = false;

  constructor(private readonly options: SnapshotKeeperOptions) {
    this.policy = { ...defaultPolicy, ...options.policy };
  }

  /** Hands the pages over one by one; answers the positions that they stand for, or undefined if everything has to be read from the streams. */
  async restore(take: (page: SnapshotPage) => void): Promise<StreamPositions | undefined> {
    const { store, name, version, logger } = this.options;
    const began = performance.now();
    const snapshot = await store.load(name, version).catch((error: unknown) => {
      logger.warn({ err: error }, 'snapshot could not be read, reading the whole streams');
      return undefined;
    });
    if (snapshot === undefined) return undefined;
    if (!(await this.belongs(snapshot.positions))) {
      logger.warn({ positions: snapshot.positions }, 'snapshot is not of these streams, reading the whole streams');
      await store.forget(name);
      return undefined;
    }
    let entries = 0;
    try {
      for await (const page of snapshot.pages()) {
        take(page);
        entries += page.size;
      }
    } catch (error) {
      // Half of it is in the state by now. The next start finds none and reads everything.
      await store.forget(name);
      throw new GantryError(
        'SNAPSHOT.UNUSABLE',
        'internal',
        'The snapshot of the state does not fit this version. It was removed: start the service again.',
        { cause: error },
      );
    }
    logger.info({ entries, milliseconds: Math.round(performance.now() - began) }, 'snapshot taken in');
    return snapshot.positions;
  }

  /** Call once for each commit that was read. */
  count(): void {
    this.commits += 1;
  }

  start(): void {
    this.timer = setInterval(() => {
      if (this.isDue()) void this.save(this.abort.signal);
    }, this.policy.checkMs);
    this.timer.unref();
  }

  /** Saves once more if that saves time at the next start; never takes long. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.stopping = true;
    const { atStopFromCommits, atStopMs } = this.policy;
    const limit = wait(atStopMs, undefined, { ref: false }).then(() => this.abort.abort());
    const finish = async (): Promise<void> => {
      await this.saving;
      if (this.commits >= atStopFromCommits) await this.save(this.abort.signal);
    };
    await Promise.race([finish(), limit]);
    this.abort.abort();
  }

  private isDue(): boolean {
    if (this.saving !== undefined || this.commits === 0) return false;
    const since = performance.now() - this.lastEnd;
    if (since < this.lastTook / LARGEST_SHARE) return false;
    return this.commits >= this.policy.everyCommits || since >= this.policy.everyMs;
  }

  private save(signal: AbortSignal): Promise<void> {
    this.saving ??= this.saveOnce(signal).finally(() => {
      this.saving = undefined;
      this.lastEnd = performance.now();
    });
    return this.saving;
  }

  private async saveOnce(signal: AbortSignal): Promise<void> {
    const { store, name, version, logger } = this.options;
    const began = performance.now();
    const draft = this.options.capture();
    if (draft === undefined) return;
    const covered = this.commits;
    try {
      const present = await store.positions(name, version);
      if (present !== undefined && this.isRecent(present, draft.positions) && (await this.belongs(present))) {
        this.commits -= covered;
        return;
      }
      const saved = await store.save(name, version, { ...draft, isUrgent: () => this.stopping }, signal);
      this.lastTook = performance.now() - began;
      if (saved === undefined) return;
      this.commits -= covered;
      logger.info({ ...saved, milliseconds: Math.round(this.lastTook) }, 'snapshot saved');
    } catch (error) {
      if (!signal.aborted) logger.warn({ err: error }, 'snapshot was not saved, the next start takes longer');
    }
  }

  /** Less than half of what makes a new one worth while has happened since. */
  private isRecent(present: StreamPositions, now: StreamPositions): boolean {
    let behind = 0;
    for (const [stream, { sequence }] of Object.entries(now)) behind += sequence - (present[stream]?.sequence ?? 0);
    return behind < Math.min(this.commits, this.policy.everyCommits) / 2;
  }

  private async belongs(positions: StreamPositions): Promise<boolean> {
    for (const [stream, position] of Object.entries(positions))
      if (!(await isOnStream(this.options.nc, stream, position))) return false;
    return true;
  }
}

/** Whether the stream went through this position: the same commit is still there, or was and has aged out or been archived. */
async function isOnStream(
  nc: NatsConnection,
  stream: string,
  { sequence, commitId }: StreamPosition,
): Promise<boolean> {
  if (sequence === 0) return true;
  const { state } = await readableStream(nc, stream);
  if (sequence > state.last_seq) return false;
  if (sequence < state.first_seq) return true;
  const message = await (await manager(nc)).streams.getMessage(stream, { seq: sequence });
  // Only what was stored can have been taken out: a stream that was set back ends before the position, or holds another commit there.
  return message === null || message.header.get('Nats-Msg-Id') === commitId;
}
