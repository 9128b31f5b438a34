import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { type ArchivedTask, decodeSegment } from '@gantry/contracts/tasks/archive-segment';
import { parseJsonBytes, type StreamMessage } from '@gantry/jetstream/stream-message';
import type { ConfirmedStream } from '../../application/confirmed-stream.port.js';
import type { StreamProjection } from '../../application/stream-projection.port.js';
import type { CommitArchiveReader } from '../commit-archive/commit-archive.reader.js';

export interface ArchivedTasksParts {
  readonly confirmed: ConfirmedStream;
  /** False while the stream is read again for a database that lacks a part of it. */
  readonly isWhole: (stream: string) => boolean;
  readonly reader: Pick<CommitArchiveReader, 'commitsOfMany'>;
  /** What makes rows of TASKS, in its order. */
  readonly projections: readonly StreamProjection[];
}

/** About 10 MB of commits. */
const SEGMENTS_AT_ONCE = 4;

/**
 * ARCHIVE -> the same tables as TASKS, for the commits that never came from there: this service was away when they left, or the database
 * was emptied since. As a rule they did come, and nothing is left to do.
 */
export class ArchivedTasksProjection implements StreamProjection {
  constructor(private readonly parts: ArchivedTasksParts) {}

  async apply(messages: readonly StreamMessage[]): Promise<void> {
    for (let at = 0; at < messages.length; at += SEGMENTS_AT_ONCE) {
      const segments = await Promise.all(
        messages.slice(at, at + SEGMENTS_AT_ONCE).map(({ bytes }) => decodeSegment(bytes)),
      );
      const lacking: ArchivedTask[] = [];
      for (const tasks of segments) if (!(await this.cameFromStream(tasks))) lacking.push(...tasks);
      if (lacking.length > 0) await this.store(lacking);
    }
  }

  reset(): void {
    for (const projection of this.parts.projections) projection.reset?.();
  }

  /**
   * Confirmed, and confirmed while it was there: a consumer also passes over what was removed before it came. Removal begins with
   * the segment's lowest sequence, or with its first task.
   */
  private async cameFromStream(tasks: readonly ArchivedTask[]): Promise<boolean> {
    const { confirmed, isWhole } = this.parts;
    const stream = streams.tasks.name;
    if (!isWhole(stream)) return false;
    const sequences = tasks.flatMap(({ commits }) => commits.map(({ sequence }) => sequence));
    const [least, greatest] = [sequences.reduce((a, b) => Math.min(a, b)), sequences.reduce((a, b) => Math.max(a, b))];
    if ((await confirmed.acknowledgedSequence(stream)) < greatest) return false;
    const [first = least] = sequences;
    return (await confirmed.holds(stream, least)) && (await confirmed.holds(stream, first));
  }

  private async store(tasks: readonly ArchivedTask[]): Promise<void> {
    const [commits, ...views] = this.parts.projections;
    const archived = tasks.flatMap(messagesOf);
    await commits?.apply(archived);
    // What came after the archiving (a deletion) may have been here before its beginning was.
    const ends = tasks.map((task) => task.commits.at(-1)?.sequence ?? 0);
    const from = ends.reduce((least, end) => Math.min(least, end)) + 1;
    const ids = tasks.map(({ taskId }) => taskId);
    const later = await this.parts.reader.commitsOfMany(streams.tasks.name, ids, from);
    const known = new Set(archived.map(({ streamSequence }) => streamSequence));
    const news = [...later.values()].flat().filter(({ streamSequence }) => !known.has(streamSequence));
    const whole = [...archived, ...news.map(messageOf)];
    for (const view of views) await view.apply(whole);
  }
}

function messagesOf({ taskId, commits }: ArchivedTask): StreamMessage[] {
  const subject = subjects.task(taskId);
  return commits.map(({ sequence, bytes }) => message(subject, sequence, bytes));
}

function messageOf({ subject, streamSequence, commit }: StoredCommit): StreamMessage {
  return message(subject, streamSequence, Buffer.from(JSON.stringify(commit)));
}

/** As if TASKS had delivered it. */
function message(subject: string, streamSequence: number, bytes: Uint8Array): StreamMessage {
  return { subject, streamSequence, timestampMs: 0, redeliveries: 0, bytes, json: () => parseJsonBytes(bytes) };
}
