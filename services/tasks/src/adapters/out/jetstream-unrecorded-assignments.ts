import { streams } from '@gantry/contracts/messaging/streams';
import { followStream } from '@gantry/jetstream/follow-stream';
import { manager } from '@gantry/jetstream/stream-admin';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { UnrecordedAssignment, UnrecordedAssignments } from '../../application/unrecorded-assignments.port.js';
import { taskErrors } from '../../domain/task/task.errors.js';
import { ASSIGN_DURABLE, assignmentOf, commitOf, isAssignment } from '../scheduling-message.js';

const READ_MS = 5_000;
/** Before the scheduler has made the stream, or this service its consumer, nothing is recorded and nothing was assigned. */
const NOT_MADE: ReadonlySet<number> = new Set([JetStreamApiCodes.StreamNotFound, JetStreamApiCodes.ConsumerNotFound]);

type ByTask = ReadonlyMap<string, readonly UnrecordedAssignment[]>;

/** Reads what the shared consumer of ASSIGN has not acknowledged, and mostly finds that there is nothing. */
export class JetStreamUnrecordedAssignments implements UnrecordedAssignments {
  private reading: Promise<unknown> = Promise.resolve();
  private next: Promise<ByTask> | undefined;

  constructor(private readonly nc: NatsConnection) {}

  async of(taskId: string): Promise<readonly UnrecordedAssignment[]> {
    return (await this.asked()).get(taskId) ?? [];
  }

  /** Who asks while a reading is under way shares the one after it: a thousand tasks cancelled together cost a few. */
  private asked(): Promise<ByTask> {
    this.next ??= this.reading.then(() => {
      this.next = undefined;
      const reading = this.read();
      this.reading = reading.catch(() => undefined);
      return reading;
    });
    return this.next;
  }

  private async read(): Promise<ByTask> {
    try {
      const jsm = await manager(this.nc);
      const { name } = streams.assign;
      const { state } = await jsm.streams.info(name);
      const { ack_floor: recorded } = await jsm.consumers.info(name, ASSIGN_DURABLE);
      if (recorded.stream_seq >= state.last_seq) return new Map();
      return await this.readFrom(recorded.stream_seq + 1);
    } catch (error) {
      if (error instanceof JetStreamApiError && NOT_MADE.has(error.code)) return new Map();
      throw taskErrors.workerUnknown(error);
    }
  }

  private async readFrom(fromSequence: number): Promise<ByTask> {
    const found = new Map<string, UnrecordedAssignment[]>();
    const late = AbortSignal.timeout(READ_MS);
    const end = new AbortController();
    await followStream(this.nc, streams.assign.name, {
      fromSequence,
      onMessage: (message) => {
        for (const one of assignmentsOf(message)) {
          const { taskId } = one.assignment;
          found.set(taskId, [...(found.get(taskId) ?? []), one]);
        }
      },
      onCaughtUp: () => end.abort(),
      signal: AbortSignal.any([end.signal, late]),
    });
    late.throwIfAborted();
    return found;
  }
}

/** What cannot be read is the consumer's to complain about. */
function assignmentsOf(message: StreamMessage): UnrecordedAssignment[] {
  try {
    const commit = commitOf(message);
    return commit.events.filter(isAssignment).map((event) => ({ assignment: assignmentOf(event), commit }));
  } catch {
    return [];
  }
}
