import { Inject } from '@nestjs/common';
import { Args, Context, Parent, Query, ResolveField, Resolver, Subscription } from '@nestjs/graphql';
import { getWorker, listWorkers } from '@gantry/contracts/scheduling/scheduler-requests';
import { ServiceClient } from '../../adapters/service-client.js';
import type { Caller } from '../../security/caller.js';
import { liveIterator } from '../../subscriptions/live-iterator.js';
import { WorkerFeed } from '../../subscriptions/worker-feed.js';
import { taskNode } from '../tasks/task-node.js';
import { workerNode, type WorkerNode } from './worker-node.js';
import { WorkerTasksQuery } from './worker-tasks.query.js';

@Resolver('Worker')
export class WorkersResolver {
  constructor(
    @Inject(ServiceClient) private readonly services: ServiceClient,
    @Inject(WorkerFeed) private readonly feed: WorkerFeed,
    @Inject(WorkerTasksQuery) private readonly workerTasks: WorkerTasksQuery,
  ) {}

  @Query('workers')
  async workers(@Context('caller') caller: Caller) {
    return (await this.services.ask(listWorkers, {}, caller)).workers.map(workerNode);
  }

  @Query('worker')
  async worker(@Args('id') id: string, @Context('caller') caller: Caller) {
    return workerNode(await this.services.ask(getWorker, { workerId: id }, caller));
  }

  @ResolveField('tasks')
  async tasks(
    @Parent() worker: WorkerNode,
    @Args('limit') limit: number | null | undefined,
    @Context('caller') caller: Caller,
  ) {
    return (await this.workerTasks.read(worker.id, limit ?? undefined, caller)).map(taskNode);
  }

  @Subscription('workerChanged')
  workerChanged(@Args('workerId') workerId: string | null | undefined) {
    const { feed } = this;
    return liveIterator(async function* (signal) {
      for await (const worker of feed.workers(signal)) {
        if (workerId === undefined || workerId === null || worker.id === workerId) yield workerNode(worker);
      }
    });
  }
}
