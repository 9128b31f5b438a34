import type { OutputOf, ParsedInputOf } from '@gantry/contracts/messaging/request';
import { explainTask, getQueue, getWorker, listWorkers } from '@gantry/contracts/scheduling/scheduler-requests';
import { HandleRequest } from '@gantry/jetstream/nest/decorators';
import { Controller, Inject } from '@nestjs/common';
import { ReadSchedulerHandler } from '../../application/read-scheduler.handler.js';

@Controller()
export class SchedulerRequests {
  constructor(@Inject(ReadSchedulerHandler) private readonly read: ReadSchedulerHandler) {}

  @HandleRequest(listWorkers)
  listWorkers(_input: ParsedInputOf<typeof listWorkers>): OutputOf<typeof listWorkers> {
    return { workers: this.read.listWorkers() };
  }

  @HandleRequest(getWorker)
  getWorker({ workerId }: ParsedInputOf<typeof getWorker>): OutputOf<typeof getWorker> {
    return this.read.getWorker(workerId);
  }

  @HandleRequest(explainTask)
  explainTask({ taskId }: ParsedInputOf<typeof explainTask>): OutputOf<typeof explainTask> {
    return this.read.explain(taskId);
  }

  @HandleRequest(getQueue)
  getQueue({ limit }: ParsedInputOf<typeof getQueue>): OutputOf<typeof getQueue> {
    return this.read.queue(limit);
  }
}
