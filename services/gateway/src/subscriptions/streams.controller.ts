import { Readable } from 'node:stream';
import { Controller, Get, Headers, Inject, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { queryParameters } from '../edge/query-parameters.js';
import { toHttpError } from '../edge/error-mapping.js';
import { invalidInput } from '../edge/parse-input.js';
import { LiveMetrics } from '../modules/telemetry/live-metrics.js';
import { principalOf } from '../security/caller.js';
import { ConnectionLifetimes } from '../security/connection-lifetime.js';
import { eventStreamText, type ServerEvent } from './event-stream.js';
import { liveIterator, mapped } from './live-iterator.js';
import { LiveTasks } from './live-tasks.js';
import { paced } from './merged.js';
import { StreamSlots } from './stream-slots.js';
import { TaskReplay } from './task-replay.js';

/** Server-sent events. */
@Controller('api/stream')
export class StreamsController {
  constructor(
    @Inject(LiveTasks) private readonly tasks: LiveTasks,
    @Inject(LiveMetrics) private readonly metrics: LiveMetrics,
    @Inject(TaskReplay) private readonly replay: TaskReplay,
    @Inject(StreamSlots) private readonly slots: StreamSlots,
    @Inject(ConnectionLifetimes) private readonly lifetimes: ConnectionLifetimes,
  ) {}

  /** `task` events; an id is a position, and a client that comes back with Last-Event-ID gets what changed meanwhile. */
  @Get('tasks')
  taskEvents(
    @Query() query: unknown,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    this.hold(reply);
    const { status, ...filter } = queryParameters(query, {
      status: 'list',
      workerId: 'text',
      ownerId: 'text',
      tag: 'text',
      queue: 'text',
      search: 'text',
    });
    const after = lastEventId === undefined || lastEventId === '' ? undefined : positionOf(lastEventId);
    const changes = this.tasks.changesMatching(
      { ...filter, ...(status === undefined ? {} : { statuses: status }) },
      request.caller,
    );
    const { replay } = this;
    return this.send(request, reply, (signal) => {
      const live = changes(signal);
      return (async function* () {
        if (after !== undefined) yield* replay.since(after, request.caller, signal);
        yield* mapped(live, ({ task, streamSequence }): ServerEvent => ({
          event: 'task',
          id: String(streamSequence),
          data: task,
        }));
      })();
    });
  }

  @Get('metrics')
  async metricEvents(@Query() query: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    this.hold(reply);
    const { intervalMs = 0, ...which } = queryParameters(query, {
      workerId: 'text',
      taskId: 'text',
      intervalMs: 'number',
    });
    const samples = await this.metrics.open(which, request.caller);
    return this.send(request, reply, (signal) =>
      mapped(paced(samples(signal), Math.min(60_000, intervalMs), signal), (data): ServerEvent => ({
        event: 'metrics',
        data,
      })),
    );
  }

  /** A place among the open streams, given back when the connection ends, however that happens. */
  private hold(reply: FastifyReply): void {
    reply.raw.once('close', this.slots.take());
  }

  private send(
    request: FastifyRequest,
    reply: FastifyReply,
    source: (signal: AbortSignal) => AsyncGenerator<ServerEvent>,
  ) {
    const { authorization } = request.headers;
    const apiKey = request.headers['x-api-key'];
    const lifetime = this.lifetimes.watch(principalOf(request.caller), {
      ...(authorization === undefined ? {} : { authorization }),
      ...(typeof apiKey === 'string' ? { apiKey } : {}),
    });
    reply.raw.once('close', () => lifetime.end());
    reply.headers({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    const text = liveIterator(
      (signal) => eventStreamText(tellingErrors(liveIterator(source, signal))),
      lifetime.signal,
    );
    return reply.send(Readable.from(text, { objectMode: false }));
  }
}

/** After the first byte an error can only be told inside the stream. */
async function* tellingErrors(source: AsyncGenerator<ServerEvent>): AsyncGenerator<ServerEvent> {
  try {
    yield* source;
  } catch (error) {
    yield { event: 'error', data: toHttpError(error).body };
  }
}

function positionOf(text: string): number {
  const position = Number(text);
  if (Number.isSafeInteger(position) && position >= 0) return position;
  throw invalidInput([{ path: 'Last-Event-ID', message: 'Send the id of the last event you got.' }]);
}
