import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { listDeadLetters } from '@gantry/contracts/messaging/dead-letters';
import { parseInput } from '../../edge/parse-input.js';
import { queryParameters } from '../../edge/query-parameters.js';
import { DeadLetters } from './dead-letters.js';

@Controller('api/admin/dead-letters')
export class DeadLettersController {
  constructor(@Inject(DeadLetters) private readonly deadLetters: DeadLetters) {}

  @Get()
  list(@Query() query: unknown, @Req() request: FastifyRequest) {
    const given = queryParameters(query, {
      limit: 'number',
      after: 'text',
      stream: 'text',
      consumer: 'text',
      state: 'text',
    });
    return this.deadLetters.list(parseInput(listDeadLetters.input, given), request.caller);
  }

  @Get(':id')
  get(@Param('id') id: string, @Req() request: FastifyRequest) {
    return this.deadLetters.get(id, request.caller);
  }

  @Post(':id/replay')
  @HttpCode(200)
  replay(@Param('id') id: string, @Req() request: FastifyRequest) {
    return this.deadLetters.replay(id, request.caller);
  }

  @Delete(':id')
  discard(@Param('id') id: string, @Req() request: FastifyRequest) {
    return this.deadLetters.discard(id, request.caller);
  }
}
