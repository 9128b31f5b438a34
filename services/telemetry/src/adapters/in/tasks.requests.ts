import type { OutputOf, ParsedInputOf } from '@gantry/contracts/messaging/request';
import {
  getArchivedTask,
  getSummary,
  getWorkerTasks,
  searchTasks,
} from '@gantry/contracts/telemetry/telemetry-requests';
import { HandleRequest, type InboundRequest } from '@gantry/jetstream/nest/decorators';
import { Controller } from '@nestjs/common';
import { assertMaySee } from '../../application/access.js';
import { ArchivedTaskReader } from '../../projections/task-index/archived-task.reader.js';
import { SummaryReader } from '../../projections/task-index/summary.reader.js';
import { TaskIndexReader } from '../../projections/task-index/task-index.reader.js';
import { ReplySize } from './reply-size.js';

@Controller()
export class TasksRequests {
  constructor(
    private readonly index: TaskIndexReader,
    private readonly archived: ArchivedTaskReader,
    private readonly summary: SummaryReader,
    private readonly replySize: ReplySize,
  ) {}

  @HandleRequest(searchTasks)
  async search(
    input: ParsedInputOf<typeof searchTasks>,
    { context }: InboundRequest,
  ): Promise<OutputOf<typeof searchTasks>> {
    assertMaySee(context, input.visibleTo);
    const found = await this.index.list(input);
    const tasks = this.replySize.firstThatFit(found);
    return { tasks, more: tasks.length < found.length };
  }

  @HandleRequest(getArchivedTask)
  getArchived(
    input: ParsedInputOf<typeof getArchivedTask>,
    { context }: InboundRequest,
  ): Promise<OutputOf<typeof getArchivedTask>> {
    assertMaySee(context, input.visibleTo);
    return this.archived.read(input.taskId, input.visibleTo);
  }

  @HandleRequest(getSummary)
  getSummary(
    input: ParsedInputOf<typeof getSummary>,
    { context }: InboundRequest,
  ): Promise<OutputOf<typeof getSummary>> {
    assertMaySee(context, input.visibleTo);
    return this.summary.read(input.visibleTo, input.now);
  }

  @HandleRequest(getWorkerTasks)
  async ofWorker(
    input: ParsedInputOf<typeof getWorkerTasks>,
    { context }: InboundRequest,
  ): Promise<OutputOf<typeof getWorkerTasks>> {
    assertMaySee(context, input.visibleTo);
    return {
      tasks: this.replySize.firstThatFit(await this.index.ofWorker(input.workerId, input.visibleTo, input.limit)),
    };
  }
}
