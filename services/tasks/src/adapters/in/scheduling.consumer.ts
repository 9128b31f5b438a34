import type { Commit, DomainEvent } from '@gantry/contracts/messaging/commit';
import { streams } from '@gantry/contracts/messaging/streams';
import { assignEventSchemas, schedEventSchemas } from '@gantry/contracts/scheduling/assign-events';
import { HandleStream, HandleStreamBatch } from '@gantry/jetstream/nest/decorators';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import { Controller, Inject } from '@nestjs/common';
import { RecordAssignmentHandler } from '../../application/record-assignment.handler.js';
import { type LostAttempts, RecordLostAttemptsHandler } from '../../application/record-lost-attempts.handler.js';
import { RecordWithdrawalHandler } from '../../application/record-withdrawal.handler.js';
import { assignmentOf, commitOf, parseDecision } from '../scheduling-message.js';
import { RECORD_GATHER_MS } from './record-gather.js';

/** What the scheduler decided, recorded in the history of each task. */
@Controller()
export class SchedulingConsumer {
  constructor(
    @Inject(RecordAssignmentHandler) private readonly assignments: RecordAssignmentHandler,
    @Inject(RecordWithdrawalHandler) private readonly withdrawals: RecordWithdrawalHandler,
    @Inject(RecordLostAttemptsHandler) private readonly losses: RecordLostAttemptsHandler,
  ) {}

  /**
   * In batches, because one subject carries all assignments of a worker: one after the other, each would wait for the append
   * of the one before it, and the reports of the agents would have to wait for them in turn. Tasks need no order between them.
   */
  @HandleStreamBatch({
    stream: streams.assign,
    durable: 'tasks-assign',
    maxMessages: 100,
    maxWaitMs: 1,
    // Because a batch is over when the last of its assignments is recorded, which waits a moment for a report.
    lanes: 4,
    gatherMs: RECORD_GATHER_MS,
  })
  async onAssign(messages: StreamMessage[]): Promise<void> {
    await Promise.all(
      messages.map(commitOf).flatMap((commit) => commit.events.map((event) => this.record(event, commit))),
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

  private async record(event: DomainEvent, commit: Commit): Promise<void> {
    if (event.type === 'TaskAssigned') await this.assignments.handle(assignmentOf(event), commit);
    else if (event.type === 'TaskWithdrawn')
      await this.withdrawals.handle(parseDecision(assignEventSchemas.TaskWithdrawn, event.data), commit);
  }
}

function lostAttempts({ type, data }: DomainEvent): LostAttempts | undefined {
  if (type === 'WorkerLost') {
    const { workerId, tasks } = parseDecision(schedEventSchemas.WorkerLost, data);
    return { workerId, tasks, message: `Worker ${workerId} stopped answering.` };
  }
  if (type === 'AssignmentsLost') {
    const { workerId, tasks, reason } = parseDecision(schedEventSchemas.AssignmentsLost, data);
    return { workerId, tasks, message: reason };
  }
  return undefined;
}
