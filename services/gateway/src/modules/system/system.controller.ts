import { Controller, Get, Inject, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Registry } from 'prom-client';
import { listUsers } from '@gantry/contracts/auth/auth-requests';
import { METRICS_REGISTRY } from '@gantry/nest-platform/tokens';
import { ServiceClient } from '../../adapters/service-client.js';
import { queryParameters } from '../../edge/query-parameters.js';
import { HttpStatistics } from './http-statistics.js';
import { SummaryQuery } from './summary.js';
import { SystemHealthQuery } from './system-health.js';

@Controller()
export class SystemController {
  constructor(
    @Inject(SystemHealthQuery) private readonly healthQuery: SystemHealthQuery,
    @Inject(SummaryQuery) private readonly summary: SummaryQuery,
    @Inject(HttpStatistics) private readonly statistics: HttpStatistics,
    @Inject(ServiceClient) private readonly services: ServiceClient,
    @Inject(METRICS_REGISTRY) private readonly registry: Registry,
  ) {}

  /** For load balancers and people: which part is not well, without numbers. */
  @Get('health')
  async health(@Res({ passthrough: true }) reply: FastifyReply) {
    const { status, services } = await this.healthQuery.read();
    reply.code(status === 'unhealthy' ? 503 : 200).header('cache-control', 'no-store');
    return {
      status,
      services: Object.fromEntries(services.map((report) => [report.service, report.status])),
      reasons: services.flatMap(({ service, reasons }) => reasons.map((reason) => `${service}: ${reason}`)),
    };
  }

  /** This process alone: a restart would not help against an outage elsewhere. */
  @Get('health/live')
  live() {
    return { status: 'healthy' };
  }

  @Get('metrics')
  async metrics(@Res({ passthrough: true }) reply: FastifyReply) {
    reply.type(this.registry.contentType);
    return this.registry.metrics();
  }

  @Get('api/stats')
  stats(@Req() request: FastifyRequest) {
    return this.summary.read(request.caller);
  }

  @Get('api/admin/users')
  users(@Query() query: unknown, @Req() request: FastifyRequest) {
    return this.services.ask(listUsers, queryParameters(query, { limit: 'number', after: 'text' }), request.caller);
  }

  @Get('api/admin/stats')
  async adminStats(@Req() request: FastifyRequest) {
    const [summary, health] = await Promise.all([this.summary.read(request.caller), this.healthQuery.read()]);
    return { summary, health: { ...health, ...this.statistics.latencies() } };
  }
}
