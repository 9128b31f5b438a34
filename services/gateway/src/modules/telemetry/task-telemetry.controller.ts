import { Readable } from 'node:stream';
import { Controller, Get, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { taskMetrics } from '@gantry/contracts/telemetry/telemetry-requests';
import { logStreamSchema } from '@gantry/contracts/agents/log-chunk';
import { parseInput } from '../../edge/parse-input.js';
import { queryParameters } from '../../edge/query-parameters.js';
import { liveIterator } from '../../subscriptions/live-iterator.js';
import { LiveLogs } from '../../subscriptions/live-logs.js';
import type { LogBatch } from '../../subscriptions/log-cursor.js';
import { ArtifactLinks } from '../artifacts/artifact-links.js';
import { LogPagesQuery } from './log-pages.query.js';
import { seriesParameters, seriesWindow } from './series-parameters.js';
import { SeriesQuery } from './series.query.js';

export const logParameters = {
  attempt: 'number',
  afterSeq: 'number',
  beforeSeq: 'number',
  tail: 'flag',
  stream: 'text',
  search: 'text',
  limit: 'number',
  download: 'flag',
} as const;

@Controller('api/tasks')
export class TaskTelemetryController {
  constructor(
    @Inject(LogPagesQuery) private readonly pages: LogPagesQuery,
    @Inject(LiveLogs) private readonly live: LiveLogs,
    @Inject(SeriesQuery) private readonly series: SeriesQuery,
    @Inject(ArtifactLinks) private readonly links: ArtifactLinks,
  ) {}

  /** A page as JSON; with `download` all lines of the attempt as text, as they came. */
  @Get(':id/logs')
  async logs(
    @Param('id') id: string,
    @Query() query: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { download, stream, attempt, ...page } = queryParameters(query, logParameters);
    if (download !== true) {
      const only = stream === undefined ? {} : { stream: parseInput(logStreamSchema, stream) };
      return this.pages.read(
        { taskId: id, ...page, ...only, ...(attempt === undefined ? {} : { attempt }) },
        request.caller,
      );
    }
    const batches = await this.live.open(
      { taskId: id, attempt, afterSeq: page.afterSeq ?? 0, follow: false },
      request.caller,
    );
    reply.type('text/plain; charset=utf-8').header('content-disposition', `attachment; filename="${id}.log"`);
    return Readable.from(
      liveIterator((signal) => textOf(batches(signal))),
      { objectMode: false },
    );
  }

  @Post(':id/logs/ticket')
  ticket(@Param('id') id: string, @Req() request: FastifyRequest) {
    return this.links.forLogs(id, request.caller);
  }

  @Get(':id/metrics')
  metrics(@Param('id') id: string, @Query() query: unknown, @Req() request: FastifyRequest) {
    const { source, ...rest } = queryParameters(query, { ...seriesParameters, source: 'text' });
    const window = seriesWindow(rest, taskMetrics);
    return this.series.read({ source: source === 'gpu' ? 'gpu' : 'task', taskId: id, ...window }, request.caller);
  }
}

async function* textOf(batches: AsyncIterable<LogBatch>): AsyncGenerator<string> {
  for await (const { lines } of batches) {
    // A line cut at the length limit goes on in the next one: without its line break the text is as the program wrote it.
    if (lines.length > 0) yield lines.map((line) => (line.partial === true ? line.text : `${line.text}\n`)).join('');
  }
}
