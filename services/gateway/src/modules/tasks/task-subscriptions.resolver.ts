import { Inject } from '@nestjs/common';
import { Args, Context, Resolver, Subscription } from '@nestjs/graphql';
import { withoutNulls } from '../../edge/graphql-arguments.js';
import type { Caller } from '../../security/caller.js';
import { LiveTasks } from '../../subscriptions/live-tasks.js';
import { liveIterator, mapped } from '../../subscriptions/live-iterator.js';
import { LiveLogs } from '../../subscriptions/live-logs.js';
import { logLineNode } from '../telemetry/log-line-node.js';
import { taskNode } from './task-node.js';

@Resolver()
export class TaskSubscriptionsResolver {
  constructor(
    @Inject(LiveTasks) private readonly tasks: LiveTasks,
    @Inject(LiveLogs) private readonly logs: LiveLogs,
  ) {}

  @Subscription('task')
  async task(@Args('id') id: string, @Context('caller') caller: Caller) {
    const { views } = await this.tasks.open(id, caller);
    return liveIterator((signal) => mapped(views(signal), taskNode));
  }

  @Subscription('taskChanged')
  taskChanged(@Args('filter') filter: unknown, @Context('caller') caller: Caller) {
    const changes = this.tasks.changesMatching(withoutNulls(filter ?? {}), caller);
    return liveIterator((signal) => mapped(changes(signal), ({ task }) => taskNode(task)));
  }

  @Subscription('taskLogs')
  async taskLogs(
    @Args('taskId') taskId: string,
    @Args('attempt') attempt: number | null | undefined,
    @Args('afterSeq') afterSeq: number | null | undefined,
    @Context('caller') caller: Caller,
  ) {
    const batches = await this.logs.open(
      { taskId, attempt: attempt ?? undefined, afterSeq: afterSeq ?? 0, follow: true },
      caller,
    );
    return liveIterator((signal) =>
      mapped(batches(signal), (batch) => ({ ...batch, lines: batch.lines.map(logLineNode) })),
    );
  }
}
