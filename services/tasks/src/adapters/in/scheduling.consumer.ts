import type { Commit, DomainEvent } from '@gantry/contracts/messaging/commit';
import { streams } from '@gantry/contracts/messaging/streams';
import { assignEventSchemas, schedEventSchemas } from '@gantry/contracts/scheduling/assign-events';
import { HandleStream, HandleStreamBatch } from '@gantry/jetstream/nest/decorators';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import { GantryError } from '@gantry/kernel/gantry-error';
import { Controller, Inject } from '@nestjs/common';
import type { z } from 'zod';
import { RecordAssignmentHandler } from '../../application/record-assignment.handler.js';
import { type LostAttempts, RecordLostAttemptsHandler } from '../../application/record-lost-attempts.handler.js';

/** The spec travels with an assignment for the agent; this service knows it already. */
const assignmentSchema = assignEventSchemas.TaskAssigned.omit({ spec: true, ownerId: true });

/** What the scheduler decided, recorded in the history of each task. */
@Controller()
export class SchedulingConsumer {
  constructor(
    @Inject(RecordAssignmentHandler) private readonly assignments: RecordAssignmentHandler,
    @Inject(RecordLostAttemptsHandler) private readonly losses: RecordLostAttemptsHandler,
  ) {}

  /**
   * In batches, because one subject carries all assignments of a worker: one after the other, each would wait for the append
   * of the one before it, and the reports of the agents would have to wait for them in turn. Tasks need no order between them.
   */
  @HandleStreamBatch({ stream: streams.assign, durable: 'tasks-assign', maxMessages: 200, maxWaitMs: 5 })
  async onAssign(messages: StreamMessage[]): Promise<void> {
    await Promise.all(
      messages
        .map(commitOf)
        .flatMap((commit) =>
          commit.events
            .filter(({ type }) => type === 'TaskAssigned')
            .map(({ data }) => this.assignments.handle(parse(assignmentSchema, data), commit)),
        ),
    );
  }

  @HandleStream({ stream: streams.sched, durable: 'tasks-sched' })
  async onSched(message: StreamMessage): Promise<void> {
    const commit = commitOf(message);
    for (const event of commit.events) {
      const lost = lostAttempts(event);
      if (lost !== undefined) await this.losses.handle(lost, commit);
    }
  }
}

function lostAttempts({ type, data }: DomainEvent): LostAttempts | undefined {
  if (type === 'WorkerLost') {
    const { workerId, tasks } = parse(schedEventSchemas.WorkerLost, data);
    return { workerId, tasks, message: `Worker ${workerId} stopped answering.` };
  }
  if (type === 'AssignmentsLost') {
    const { workerId, tasks, reason } = parse(schedEventSchemas.AssignmentsLost, data);
    return { workerId, tasks, message: reason };
  }
  return undefined;
}

function commitOf(message: StreamMessage): Commit {
  const commit = message.json() as Commit;
  if (typeof commit?.id !== 'string' || !Array.isArray(commit.events)) throw unreadable();
  return commit;
}

function parse<T extends z.ZodType>(schema: T, data: unknown): z.output<T> {
  const parsed = schema.safeParse(data);
  if (!parsed.success) throw unreadable(parsed.error);
  return parsed.data;
}

function unreadable(cause?: unknown): GantryError {
  return new GantryError(
    'TASK.UNREADABLE_DECISION',
    'invalid',
    'The message of the scheduler does not fit its contract.',
    { cause },
  );
}
