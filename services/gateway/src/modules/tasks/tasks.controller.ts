import { Body, Controller, Delete, Get, Headers, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { cancelTask, deleteTask, retryTask, submitTask, type TaskSort } from '@gantry/contracts/tasks/task-requests';
import type { TaskStatus } from '@gantry/contracts/tasks/task-status';
import { ServiceClient } from '../../adapters/service-client.js';
import { invalidInput, parseInput } from '../../edge/parse-input.js';
import { queryParameters } from '../../edge/query-parameters.js';
import { principalOf, type Caller } from '../../security/caller.js';
import { visibleTo } from '../../security/principal.js';
import { submissionFrom } from './submit-input.js';
import { TaskListQuery } from './task-list.query.js';
import { TaskReader } from './task-reader.js';

export const cancelBodySchema = z.strictObject({
  reason: z.string().max(500).optional(),
  graceSeconds: z.number().min(0).max(600).optional(),
});

export const listParameters = {
  status: 'list',
  workerId: 'text',
  ownerId: 'text',
  tag: 'text',
  queue: 'text',
  search: 'text',
  sort: 'text',
  descending: 'flag',
  limit: 'number',
  after: 'text',
} as const;

@Controller('api/tasks')
export class TasksController {
  constructor(
    @Inject(ServiceClient) private readonly services: ServiceClient,
    @Inject(TaskReader) private readonly reader: TaskReader,
    @Inject(TaskListQuery) private readonly lists: TaskListQuery,
  ) {}

  /** 201, or 200 with the earlier task when the key was used before. */
  @Post()
  async submit(
    @Body() body: unknown,
    @Headers('idempotency-key') key: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const submission = submissionFrom(body);
    if (key !== undefined && submission.idempotencyKey !== undefined && key !== submission.idempotencyKey) {
      throw invalidInput([
        { path: 'idempotencyKey', message: 'It differs from the header Idempotency-Key. Send one.' },
      ]);
    }
    const answer = await this.services.ask(
      submitTask,
      key === undefined ? submission : { ...submission, idempotencyKey: key },
      request.caller,
      'spec',
    );
    reply.code(answer.duplicate ? 200 : 201).header('location', `/api/tasks/${answer.task.id}`);
    return answer;
  }

  @Get()
  async list(@Query() query: unknown, @Req() request: FastifyRequest) {
    const { status, sort, descending, limit, after, ...filter } = queryParameters(query, listParameters);
    const page = await this.lists.page(
      {
        filter: { ...filter, ...(status === undefined ? {} : { statuses: status as TaskStatus[] }) },
        ...(sort === undefined ? {} : { sort: sort as TaskSort }),
        ...(descending === undefined ? {} : { descending }),
        ...(limit === undefined ? {} : { first: limit }),
        ...(after === undefined ? {} : { after }),
      },
      request.caller,
    );
    return { tasks: page.tasks, next: page.hasNextPage ? page.endCursor : null, degraded: page.degraded };
  }

  @Get(':id')
  get(@Param('id') id: string, @Req() request: FastifyRequest) {
    return this.reader.get(id, request.caller);
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(@Param('id') id: string, @Req() request: FastifyRequest) {
    await this.services.ask(deleteTask, { taskId: id, ...visibility(request.caller) }, request.caller);
  }

  @Post(':id/retry')
  retry(@Param('id') id: string, @Headers('idempotency-key') key: string | undefined, @Req() request: FastifyRequest) {
    const input = { taskId: id, ...visibility(request.caller), ...(key === undefined ? {} : { idempotencyKey: key }) };
    return this.services.ask(retryTask, input, request.caller);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  cancel(@Param('id') id: string, @Body() body: unknown, @Req() request: FastifyRequest) {
    const { reason, graceSeconds } = parseInput(cancelBodySchema, body ?? {});
    const input = {
      taskId: id,
      ...visibility(request.caller),
      ...(reason === undefined ? {} : { reason }),
      ...(graceSeconds === undefined ? {} : { graceMs: Math.round(graceSeconds * 1_000) }),
    };
    return this.services.ask(cancelTask, input, request.caller);
  }

  @Get(':id/events')
  async events(@Param('id') id: string, @Req() request: FastifyRequest) {
    return { entries: await this.reader.history(id, request.caller) };
  }

  @Get(':id/explain')
  explain(@Param('id') id: string, @Req() request: FastifyRequest) {
    return this.reader.explain(id, request.caller);
  }
}

function visibility(caller: Caller) {
  return { visibleTo: visibleTo(principalOf(caller)) };
}
