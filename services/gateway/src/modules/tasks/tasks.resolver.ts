import { Inject } from '@nestjs/common';
import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { cancelTask, deleteTask, retryTask, submitTask } from '@gantry/contracts/tasks/task-requests';
import { ServiceClient } from '../../adapters/service-client.js';
import { withoutNulls } from '../../edge/graphql-arguments.js';
import { principalOf, type Caller } from '../../security/caller.js';
import { visibleTo } from '../../security/principal.js';
import { recordOf, submissionFrom } from './submit-input.js';
import { TaskListQuery, type TaskListArgs } from './task-list.query.js';
import { taskNode, type KeyValue, type TaskNode } from './task-node.js';
import { TaskReader } from './task-reader.js';

interface SubmitInput {
  env?: KeyValue[];
  labels?: KeyValue[];
  workerLabels?: KeyValue[];
  [field: string]: unknown;
}

@Resolver('Task')
export class TasksResolver {
  constructor(
    @Inject(ServiceClient) private readonly services: ServiceClient,
    @Inject(TaskReader) private readonly reader: TaskReader,
    @Inject(TaskListQuery) private readonly lists: TaskListQuery,
  ) {}

  @Query('task')
  async task(@Args('id') id: string, @Context('caller') caller: Caller) {
    return taskNode((await this.reader.get(id, caller)).task);
  }

  @Query('tasks')
  async tasks(@Args() args: TaskListArgs, @Context('caller') caller: Caller) {
    const page = await this.lists.page(withoutNulls<TaskListArgs>(args), caller);
    return {
      edges: page.tasks.map((task, index) => ({ cursor: page.cursors[index], node: taskNode(task) })),
      pageInfo: { hasNextPage: page.hasNextPage, endCursor: page.endCursor },
      degraded: page.degraded,
    };
  }

  @Mutation('submitTask')
  async submitTask(@Args('input') input: SubmitInput, @Context('caller') caller: Caller) {
    const { env, labels, workerLabels, ...rest } = withoutNulls<SubmitInput>(input);
    const submission = submissionFrom({
      ...rest,
      ...(env === undefined ? {} : { env: recordOf(env, 'env') }),
      ...(labels === undefined ? {} : { labels: recordOf(labels, 'labels') }),
      ...(workerLabels === undefined ? {} : { workerLabels: recordOf(workerLabels, 'workerLabels') }),
    });
    const answer = await this.services.ask(submitTask, submission, caller, 'spec');
    return { ...answer, task: taskNode(answer.task) };
  }

  @Mutation('cancelTask')
  async cancelTask(
    @Args('id') id: string,
    @Args('reason') reason: string | null | undefined,
    @Args('graceSeconds') graceSeconds: number | null | undefined,
    @Context('caller') caller: Caller,
  ) {
    const input = withoutNulls<{ reason?: string; graceMs?: number }>({
      reason,
      graceMs: typeof graceSeconds === 'number' ? Math.round(graceSeconds * 1_000) : undefined,
    });
    return taskNode(await this.services.ask(cancelTask, { ...input, taskId: id, ...visibility(caller) }, caller));
  }

  @Mutation('retryTask')
  async retryTask(@Args('id') id: string, @Context('caller') caller: Caller) {
    return taskNode(await this.services.ask(retryTask, { taskId: id, ...visibility(caller) }, caller));
  }

  @Mutation('deleteTask')
  async deleteTask(@Args('id') id: string, @Context('caller') caller: Caller) {
    await this.services.ask(deleteTask, { taskId: id, ...visibility(caller) }, caller);
    return true;
  }

  @ResolveField('queuePosition')
  async queuePosition(@Parent() node: TaskNode & { queuePosition?: number | null }, @Context('caller') caller: Caller) {
    if (node.status !== 'queued') return null;
    return (await this.reader.get(node.id, caller)).queuePosition;
  }

  @ResolveField('history')
  history(@Parent() node: TaskNode, @Context('caller') caller: Caller) {
    return this.reader.history(node.id, caller);
  }

  @ResolveField('explanation')
  explanation(@Parent() node: TaskNode, @Context('caller') caller: Caller) {
    return this.reader.explain(node.id, caller);
  }
}

function visibility(caller: Caller) {
  return { visibleTo: visibleTo(principalOf(caller)) };
}
