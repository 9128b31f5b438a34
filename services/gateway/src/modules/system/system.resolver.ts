import { Inject } from '@nestjs/common';
import { Context, Query, Resolver, Subscription } from '@nestjs/graphql';
import { principalOf, type Caller } from '../../security/caller.js';
import { visibleTo } from '../../security/principal.js';
import { HealthFeed } from '../../subscriptions/health-feed.js';
import { liveIterator } from '../../subscriptions/live-iterator.js';
import { SummaryFeed } from '../../subscriptions/summary-feed.js';
import { HttpStatistics, type Latencies } from './http-statistics.js';
import { SummaryQuery } from './summary.js';
import { SystemHealthQuery, type SystemHealth } from './system-health.js';

@Resolver()
export class SystemResolver {
  constructor(
    @Inject(SummaryQuery) private readonly summaryQuery: SummaryQuery,
    @Inject(SummaryFeed) private readonly feed: SummaryFeed,
    @Inject(HealthFeed) private readonly healthFeed: HealthFeed<SystemHealth & Latencies>,
    @Inject(SystemHealthQuery) private readonly healthQuery: SystemHealthQuery,
    @Inject(HttpStatistics) private readonly statistics: HttpStatistics,
  ) {}

  @Query('summary')
  summary(@Context('caller') caller: Caller) {
    return this.summaryQuery.read(caller);
  }

  @Query('health')
  async health() {
    return { ...(await this.healthQuery.read()), ...this.statistics.latencies() };
  }

  @Subscription('summary')
  summaryChanged(@Context('caller') caller: Caller) {
    const circle = visibleTo(principalOf(caller));
    return liveIterator((signal) => this.feed.summaries(circle, () => this.summaryQuery.read(caller), signal));
  }

  @Subscription('health')
  healthChanged() {
    return liveIterator((signal) => this.healthFeed.states(signal));
  }
}
