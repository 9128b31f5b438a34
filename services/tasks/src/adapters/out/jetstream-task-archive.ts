import { createHash } from 'node:crypto';
import type { Commit, StoredCommit } from '@gantry/contracts/messaging/commit';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import {
  ARCHIVED_TASKS_HEADER,
  archivedTasksHeader,
  archiveHash,
  type ArchivedTask,
  decodeSegment,
  hashesOf,
} from '@gantry/contracts/tasks/archive-segment';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import { ConnectionState } from '@gantry/jetstream/connection-state';
import { isLostRace } from '@gantry/jetstream/kv-lease';
import { publishUntilAcknowledged } from '@gantry/jetstream/publisher';
import { StreamBarrier } from '@gantry/jetstream/stream-barrier';
import { parseJsonBytes, type StreamMessage } from '@gantry/jetstream/stream-message';
import { SubjectReader } from '@gantry/jetstream/subject-reader';
import { GantryError } from '@gantry/kernel/gantry-error';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import type { TaskArchive } from '../../application/archive/task-archive.port.js';
import { BoundedCache } from '../../application/bounded-cache.js';
import { ArchiveIndex } from '../../projections/task-archive/archive-index.js';

type Segment = ReadonlyMap<string, ArchivedTask>;

/** About 2 MiB each. */
const CACHED_SEGMENTS = 16;
const APPEND_MS = 30_000;

/** Segments in stream ARCHIVE. All that is kept in memory is which of them names which task; see `ArchiveIndex`. */
export class JetStreamTaskArchive implements TaskArchive {
  readonly index = new ArchiveIndex();
  /** Newest segment that the index knows. */
  position = 0;
  private readonly reader: SubjectReader;
  private readonly barrier: StreamBarrier;
  private readonly segments = new BoundedCache<Promise<Segment>>(CACHED_SEGMENTS);
  private completeAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly nc: NatsConnection,
    /** What was archived longer ago is known for certain, milliseconds. Much less than the wait before a removal. */
    private readonly knownAfterMs: number,
  ) {
    this.reader = new SubjectReader(nc, streams.archive.name);
    this.barrier = new StreamBarrier(nc, streams.archive.name);
    // Whoever was cut off may have stood still for longer than its own clock tells.
    ConnectionState.of(nc).onChange(() => {
      this.completeAt = Number.NEGATIVE_INFINITY;
    });
  }

  /** Takes in a message of ARCHIVE, of which only the headers are looked at. `late`: others came before it. */
  take({ streamSequence, headers: sent }: StreamMessage, late = false): void {
    if (!late && streamSequence <= this.position) {
      this.index.clear();
      this.segments.clear();
    }
    const hashes = hashesOf(sent?.get(ARCHIVED_TASKS_HEADER) ?? '');
    if (hashes.length === 0)
      throw new GantryError('ARCHIVE.UNNAMED_TASKS', 'invalid', 'The segment does not say which tasks it holds.');
    for (const hash of hashes) this.index.add(hash, streamSequence);
  }

  /** Everything up to here was read; to be called in the order of the stream. */
  passed(streamSequence: number): void {
    this.position = streamSequence;
    this.barrier.advance(streamSequence);
  }

  async reach(): Promise<void> {
    const asked = performance.now();
    await this.barrier.reach();
    this.completeAt = asked;
  }

  mayHold(taskId: string): boolean {
    return this.index.find(archiveHash(taskId)).length > 0;
  }

  async commitsOf(taskId: string): Promise<StoredCommit<TaskEvent>[]> {
    const hash = archiveHash(taskId);
    if (performance.now() - this.completeAt > this.knownAfterMs) await this.reach();
    const found: StoredCommit<TaskEvent>[] = [];
    for (const sequence of this.index.find(hash)) {
      const task = (await this.segment(sequence)).get(taskId);
      for (const commit of task?.commits ?? []) found.push(storedCommit(taskId, commit));
    }
    return found;
  }

  async append(tasks: readonly ArchivedTask[], body: Uint8Array): Promise<boolean> {
    const sent = headers();
    sent.set(ARCHIVED_TASKS_HEADER, archivedTasksHeader(tasks));
    const msgId = createHash('sha256').update(body).digest('hex');
    try {
      const rules = { msgId, lastSubjectSequence: this.position, headers: sent };
      await publishUntilAcknowledged(this.nc, subjects.archivedTasks, body, rules, { timeoutMs: APPEND_MS });
    } catch (error) {
      if (isLostRace(error)) return false;
      throw error;
    }
    await this.reach();
    return true;
  }

  private segment(sequence: number): Promise<Segment> {
    const known = this.segments.get(String(sequence));
    if (known !== undefined) return known;
    const loading = this.load(sequence);
    this.segments.set(String(sequence), loading);
    loading.catch(() => this.segments.delete(String(sequence)));
    return loading;
  }

  private async load(sequence: number): Promise<Segment> {
    const message = await this.reader.readAt(sequence);
    const tasks = message === undefined ? [] : await decodeSegment(message.bytes);
    return new Map(tasks.map((task) => [task.taskId, task]));
  }
}

function storedCommit(taskId: string, { sequence, bytes }: ArchivedTask['commits'][number]): StoredCommit<TaskEvent> {
  return {
    commit: parseJsonBytes(bytes) as Commit<TaskEvent>,
    streamSequence: sequence,
    subject: subjects.task(taskId),
  };
}
