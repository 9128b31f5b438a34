import { Controller, Get, Inject, Param, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { getWorker, listWorkers, type WorkerView } from '@gantry/contracts/scheduling/scheduler-requests';
import { gpuMetrics, hostMetrics } from '@gantry/contracts/telemetry/telemetry-requests';
import { ServiceClient } from '../../adapters/service-client.js';
import { queryParameters } from '../../edge/query-parameters.js';
import { seriesParameters, seriesWindow } from '../telemetry/series-parameters.js';
import { SeriesQuery } from '../telemetry/series.query.js';
import { WorkerTasksQuery } from './worker-tasks.query.js';

@Controller('api')
export class WorkersController {
  constructor(
    @Inject(ServiceClient) private readonly services: ServiceClient,
    @Inject(SeriesQuery) private readonly series: SeriesQuery,
    @Inject(WorkerTasksQuery) private readonly workerTasks: WorkerTasksQuery,
  ) {}

  @Get('workers')
  list(@Req() request: FastifyRequest) {
    return this.services.ask(listWorkers, {}, request.caller);
  }

  @Get('workers/:id')
  get(@Param('id') id: string, @Req() request: FastifyRequest) {
    return this.services.ask(getWorker, { workerId: id }, request.caller);
  }

  @Get('workers/:id/metrics')
  metrics(@Param('id') id: string, @Query() query: unknown, @Req() request: FastifyRequest) {
    const { source, ...rest } = queryParameters(query, { ...seriesParameters, source: 'text' });
    const kind = source === 'gpu' ? 'gpu' : 'host';
    return this.series.read(
      { source: kind, workerId: id, ...seriesWindow(rest, kind === 'gpu' ? gpuMetrics : hostMetrics) },
      request.caller,
    );
  }

  @Get('workers/:id/tasks')
  async tasks(@Param('id') id: string, @Query() query: unknown, @Req() request: FastifyRequest) {
    const { limit } = queryParameters(query, { limit: 'number' });
    return { tasks: await this.workerTasks.read(id, limit, request.caller) };
  }

  /** What each machine uses and holds right now. */
  @Get('telemetry/workers')
  async usage(@Req() request: FastifyRequest) {
    const { workers } = await this.services.ask(listWorkers, {}, request.caller);
    return { workers: workers.map(usageOf) };
  }

  @Get('telemetry/workers/:id')
  async usageOfOne(@Param('id') id: string, @Req() request: FastifyRequest) {
    return usageOf(await this.services.ask(getWorker, { workerId: id }, request.caller));
  }
}

function usageOf({ id, status, spec, usage, allocated, counters, lastHeartbeatAt }: WorkerView) {
  return { id, name: spec.name, status, capacity: spec.capacity, usage, allocated, counters, lastHeartbeatAt };
}
