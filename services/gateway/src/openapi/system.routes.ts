import { listOf, objectOf, ref, type RouteDescription } from './document.js';
import { seriesQuery } from './series-query.js';
import { taskFilterQuery } from './tasks.routes.js';

const number = { type: 'number' };
const interval = {
  intervalMs: { description: 'At least this long between two samples of a worker; the newest wins.', schema: number },
};
const eventStream = (schema: Record<string, unknown>) => ({
  200: { description: 'Server-sent events.', mediaType: 'text/event-stream', schema },
});
const switching = { 101: { description: 'JSON messages `{type, ...}`.' } };

export const systemRoutes: Readonly<Record<string, RouteDescription>> = {
  'GET /api/workers': {
    tag: 'workers',
    summary: 'All workers.',
    responses: { 200: { description: 'Workers.', schema: objectOf({ workers: listOf('Worker') }) } },
  },
  'GET /api/workers/:id': {
    tag: 'workers',
    summary: 'One worker.',
    responses: { 200: { description: 'The worker.', schema: ref('Worker') } },
  },
  'GET /api/workers/:id/metrics': {
    tag: 'telemetry',
    summary: 'Measurements of a machine or its GPUs.',
    query: seriesQuery(['host', 'gpu']),
    responses: { 200: { description: 'Series.', schema: ref('Series') } },
  },
  'GET /api/workers/:id/tasks': {
    tag: 'workers',
    summary: 'Tasks that ran on a worker, newest first; users see their own.',
    query: { limit: { description: 'At most 200.', schema: number } },
    responses: { 200: { description: 'Tasks.', schema: objectOf({ tasks: listOf('Task') }) } },
  },
  'GET /api/telemetry/workers': {
    tag: 'telemetry',
    summary: 'What each machine uses and holds now.',
    responses: { 200: { description: 'Usage.', schema: objectOf({ workers: listOf('WorkerUsage') }) } },
  },
  'GET /api/telemetry/workers/:id': {
    tag: 'telemetry',
    summary: 'What one machine uses and holds now.',
    responses: { 200: { description: 'Usage.', schema: ref('WorkerUsage') } },
  },
  'GET /api/stats': {
    tag: 'system',
    summary: 'Numbers of the tasks the caller may see.',
    responses: { 200: { description: 'The summary.', schema: ref('Summary') } },
  },
  'GET /api/admin/users': {
    tag: 'system',
    summary: 'All users.',
    query: {
      limit: { description: 'At most 500.', schema: number },
      after: { description: '`next` of the page before.' },
    },
    responses: {
      200: { description: 'A page.', schema: objectOf({ users: listOf('User'), next: { type: ['string', 'null'] } }) },
    },
  },
  'GET /api/admin/stats': {
    tag: 'system',
    summary: 'Numbers of all tasks, and of every service.',
    responses: {
      200: { description: 'Numbers.', schema: objectOf({ summary: ref('Summary'), health: { type: 'object' } }) },
    },
  },
  'GET /health': {
    tag: 'system',
    summary: 'The state of the whole system.',
    responses: {
      200: { description: 'Healthy or degraded.', schema: ref('Health') },
      503: { description: 'Unhealthy.', schema: ref('Health') },
    },
  },
  'GET /health/live': {
    tag: 'system',
    summary: 'Whether this process answers.',
    responses: { 200: { description: 'It does.', schema: objectOf({ status: { type: 'string' } }) } },
  },
  'GET /metrics': {
    tag: 'system',
    summary: 'Prometheus metrics.',
    responses: { 200: { description: 'Text format.', mediaType: 'text/plain' } },
  },
  'GET /api/docs': {
    tag: 'system',
    summary: 'This document as a page.',
    responses: { 200: { description: 'The page.', mediaType: 'text/html' } },
  },
  'GET /api/docs/:asset': {
    tag: 'system',
    summary: 'Scripts and styles of the page.',
    responses: { 200: { description: 'The file.', mediaType: 'text/css' } },
  },
  'GET /api/docs/openapi.json': {
    tag: 'system',
    summary: 'This document.',
    responses: { 200: { description: 'OpenAPI 3.1.', schema: { type: 'object' } } },
  },
  'GET /graphql': {
    tag: 'system',
    summary: 'A GraphQL query.',
    query: {
      query: { description: 'The document.', required: true },
      variables: { description: 'JSON.' },
      operationName: { description: 'Which operation.' },
    },
    responses: { 200: { description: 'The result.', schema: { type: 'object' } } },
  },
  'POST /graphql': {
    tag: 'system',
    summary: 'A GraphQL query or mutation. Each field has its own right.',
    responses: { 200: { description: 'The result.', schema: { type: 'object' } } },
  },
  'GET /api/stream/tasks': {
    tag: 'live',
    summary:
      'Every change of a task the caller may see. With Last-Event-ID also what changed meanwhile; `reset` when that is too much.',
    query: taskFilterQuery,
    headers: { 'last-event-id': 'Id of the last event received.' },
    responses: eventStream(ref('Task')),
  },
  'GET /api/stream/metrics': {
    tag: 'live',
    summary: 'Samples as the workers send them.',
    query: { workerId: { description: 'Only this worker.' }, taskId: { description: 'Only this task.' }, ...interval },
    responses: eventStream(ref('MetricUpdate')),
  },
  'WS /api/tasks/:id/stream': {
    tag: 'live',
    summary: 'WebSocket: `task` messages with its state, `log` messages with its lines.',
    query: {
      attempt: { description: 'Default: the current one.', schema: number },
      afterSeq: { description: 'Lines after this number.', schema: number },
    },
    responses: switching,
  },
  'WS /api/tasks/:id/metrics/stream': {
    tag: 'live',
    summary: 'WebSocket: `metrics` messages of a task.',
    query: interval,
    responses: switching,
  },
  'WS /api/telemetry/stream': {
    tag: 'live',
    summary: 'WebSocket: `metrics` and `worker` messages of all workers.',
    query: interval,
    responses: switching,
  },
  'WS /ws/telemetry': {
    tag: 'live',
    summary: 'WebSocket: the same as /api/telemetry/stream.',
    query: interval,
    responses: switching,
  },
  'WS /ws/telemetry/:workerId': {
    tag: 'live',
    summary: 'WebSocket: `metrics` and `worker` messages of one worker.',
    query: interval,
    responses: switching,
  },
};
