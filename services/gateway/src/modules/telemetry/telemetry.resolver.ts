import { Inject } from '@nestjs/common';
import { Args, Context, Query, Resolver, Subscription } from '@nestjs/graphql';
import type { InputOf } from '@gantry/contracts/messaging/request';
import type { readLogs } from '@gantry/contracts/telemetry/telemetry-requests';
import { withoutNulls } from '../../edge/graphql-arguments.js';
import type { Caller } from '../../security/caller.js';
import { liveIterator } from '../../subscriptions/live-iterator.js';
import { logLineNode } from './log-line-node.js';
import { LiveMetrics } from './live-metrics.js';
import { LogPagesQuery } from './log-pages.query.js';
import { SeriesQuery, type SeriesArgs } from './series.query.js';

@Resolver()
export class TelemetryResolver {
  constructor(
    @Inject(SeriesQuery) private readonly seriesQuery: SeriesQuery,
    @Inject(LogPagesQuery) private readonly logs: LogPagesQuery,
    @Inject(LiveMetrics) private readonly live: LiveMetrics,
  ) {}

  @Query('taskLogs')
  async taskLogs(@Args() args: Record<string, unknown>, @Context('caller') caller: Caller) {
    const page = await this.logs.read(withoutNulls<InputOf<typeof readLogs>>(args), caller);
    return { ...page, lines: page.lines.map(logLineNode) };
  }

  @Query('series')
  series(@Args() args: SeriesArgs, @Context('caller') caller: Caller) {
    return this.seriesQuery.read(withoutNulls<SeriesArgs>(args), caller);
  }

  @Subscription('metrics')
  async metrics(@Args() args: { workerId?: string | null; taskId?: string | null }, @Context('caller') caller: Caller) {
    return liveIterator(await this.live.open(withoutNulls<{ workerId?: string; taskId?: string }>(args), caller));
  }
}
