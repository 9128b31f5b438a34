import { randomUUID } from 'node:crypto';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { waitingTasks } from '@gantry/contracts/scheduling/assign-events';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import { connectNats } from '@gantry/jetstream/connect';
import { followStream } from '@gantry/jetstream/follow-stream';
import { publishJson } from '@gantry/jetstream/publisher';
import { storedCommitOf } from '@gantry/jetstream/stored-commit';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import type { NatsConnection } from '@nats-io/transport-node';

/** As much of a scheduler as a cancellation needs: it withdraws cancelled tasks that it has not given to a worker. */
export class WithdrawingScheduler {
  /** Tasks that have a worker, recorded or not. */
  private readonly placed = new Set<string>();
  private readonly attempts = new Map<string, number>();
  private readonly abort = new AbortController();

  private constructor(private readonly nc: NatsConnection) {}

  static async start(url: string): Promise<WithdrawingScheduler> {
    const scheduler = new WithdrawingScheduler(await connectNats({ url, name: 'test' }));
    void followStream(scheduler.nc, streams.tasks.name, {
      fromSequence: 1,
      onMessage: (message) => scheduler.see(message),
      signal: scheduler.abort.signal,
    });
    return scheduler;
  }

  private async see(message: StreamMessage): Promise<void> {
    for (const event of eventsOf(message)) {
      const taskId = message.subject.slice(message.subject.lastIndexOf('.') + 1);
      if (event.type === 'TaskRequeued') {
        this.placed.delete(taskId);
        this.attempts.set(taskId, event.data.nextAttempt);
      }
      if (event.type === 'TaskCancelRequested' && !this.placed.has(taskId)) await this.withdraw(taskId);
    }
  }

  places(taskId: string): void {
    this.placed.add(taskId);
  }

  async withdraw(taskId: string): Promise<void> {
    const attempt = this.attempts.get(taskId) ?? 1;
    await publishJson(this.nc, subjects.assign(waitingTasks), {
      id: randomUUID(),
      stream: streams.assign.name,
      aggregateId: waitingTasks,
      version: 1,
      schemaVersion: 1,
      occurredAt: Date.now(),
      actor: { kind: 'service', id: 'scheduler' },
      correlationId: 'test',
      causationId: 'test',
      events: [{ type: 'TaskWithdrawn', data: { taskId, attempt, withdrawnAt: Date.now() } }],
    });
  }

  async stop(): Promise<void> {
    this.abort.abort();
    await this.nc.close();
  }
}

/** What cannot be read stops its own task only, as in the real one. */
function eventsOf(message: StreamMessage): readonly TaskEvent[] {
  try {
    return storedCommitOf<TaskEvent>(message).commit.events;
  } catch {
    return [];
  }
}
