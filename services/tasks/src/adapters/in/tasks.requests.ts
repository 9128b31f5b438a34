import type { OutputOf, ParsedInputOf } from '@gantry/contracts/messaging/request';
import {
  cancelTask,
  countTasks,
  deleteTask,
  getTask,
  getTaskHistory,
  listRecentTasks,
  retryTask,
  submitTask,
} from '@gantry/contracts/tasks/task-requests';
import { HandleRequest, type InboundRequest } from '@gantry/jetstream/nest/decorators';
import { Controller, Inject, UseInterceptors } from '@nestjs/common';
import { CancelTaskHandler } from '../../application/cancel-task.handler.js';
import { DeleteTaskHandler } from '../../application/delete-task.handler.js';
import { ReadTasksHandler } from '../../application/read-tasks.handler.js';
import { RetryTaskHandler } from '../../application/retry-task.handler.js';
import { SubmitTaskHandler } from '../../application/submit-task.handler.js';
import { CurrentBoard } from './current-board.interceptor.js';

/** Requests about tasks, from the edge. */
@Controller()
export class TasksRequests {
  constructor(
    @Inject(SubmitTaskHandler) private readonly submitHandler: SubmitTaskHandler,
    @Inject(CancelTaskHandler) private readonly cancelHandler: CancelTaskHandler,
    @Inject(RetryTaskHandler) private readonly retryHandler: RetryTaskHandler,
    @Inject(DeleteTaskHandler) private readonly deleteHandler: DeleteTaskHandler,
    @Inject(ReadTasksHandler) private readonly reader: ReadTasksHandler,
  ) {}

  @HandleRequest(submitTask)
  submit(input: ParsedInputOf<typeof submitTask>, { context }: InboundRequest): Promise<OutputOf<typeof submitTask>> {
    return this.submitHandler.handle(input, context);
  }

  @HandleRequest(cancelTask)
  @UseInterceptors(CurrentBoard)
  cancel(input: ParsedInputOf<typeof cancelTask>, { context }: InboundRequest): Promise<OutputOf<typeof cancelTask>> {
    return this.cancelHandler.handle(input, context);
  }

  @HandleRequest(retryTask)
  @UseInterceptors(CurrentBoard)
  retry(input: ParsedInputOf<typeof retryTask>, { context }: InboundRequest): Promise<OutputOf<typeof retryTask>> {
    return this.retryHandler.handle(input, context);
  }

  @HandleRequest(deleteTask)
  @UseInterceptors(CurrentBoard)
  remove(input: ParsedInputOf<typeof deleteTask>, { context }: InboundRequest): Promise<OutputOf<typeof deleteTask>> {
    return this.deleteHandler.handle(input, context);
  }

  @HandleRequest(getTask)
  @UseInterceptors(CurrentBoard)
  get(input: ParsedInputOf<typeof getTask>, { context }: InboundRequest): Promise<OutputOf<typeof getTask>> {
    return this.reader.get(input, context);
  }

  @HandleRequest(getTaskHistory)
  @UseInterceptors(CurrentBoard)
  history(
    input: ParsedInputOf<typeof getTaskHistory>,
    { context }: InboundRequest,
  ): Promise<OutputOf<typeof getTaskHistory>> {
    return this.reader.history(input, context);
  }

  @HandleRequest(listRecentTasks)
  @UseInterceptors(CurrentBoard)
  async list(
    input: ParsedInputOf<typeof listRecentTasks>,
    { context }: InboundRequest,
  ): Promise<OutputOf<typeof listRecentTasks>> {
    return this.reader.list(input, context);
  }

  @HandleRequest(countTasks)
  @UseInterceptors(CurrentBoard)
  async count(
    input: ParsedInputOf<typeof countTasks>,
    { context }: InboundRequest,
  ): Promise<OutputOf<typeof countTasks>> {
    return this.reader.count(input, context);
  }
}
