import { taskSortSchema } from '@gantry/contracts/tasks/task-requests';
import { taskStatuses } from '@gantry/contracts/tasks/task-status';
import { logStreams } from '@gantry/contracts/agents/log-chunk';
import { submitBodySchema } from '../modules/tasks/submit-input.js';
import { cancelBodySchema } from '../modules/tasks/tasks.controller.js';
import { MAX_PAGE } from '../modules/tasks/task-list.query.js';
import { listOf, objectOf, ref, type RouteDescription } from './document.js';
import { seriesQuery } from './series-query.js';

const tag = 'tasks';
const number = { type: 'number' };
const flag = { type: 'boolean' };
const task = { description: 'The task.', schema: ref('Task') };

export const taskFilterQuery = {
  status: {
    description: 'Only these statuses, separated by commas.',
    schema: { type: 'array', items: { enum: taskStatuses } },
  },
  workerId: { description: 'Only tasks of this worker.' },
  ownerId: { description: 'Only tasks of this user.' },
  tag: { description: 'Only tasks with this tag.' },
  queue: { description: 'Only tasks of this queue.' },
  search: { description: 'Part of the name, or the beginning of the id.' },
} as const;

const file = { mediaType: 'application/octet-stream', schema: { type: 'string', format: 'binary' } };
const rangeHeaders = {
  range: 'One range of bytes.',
  'if-range': 'An ETag: the range counts only if the file is still this one.',
  'if-none-match': 'ETags that the client has.',
};

export const taskRoutes: Readonly<Record<string, RouteDescription>> = {
  'POST /api/tasks': {
    tag,
    summary: 'Submits a task.',
    body: submitBodySchema,
    headers: { 'idempotency-key': 'The same key never makes two tasks.' },
    responses: {
      201: { description: 'Accepted and stored.', schema: ref('Submission') },
      200: { description: 'The key had been used: the earlier task.', schema: ref('Submission') },
    },
  },
  'GET /api/tasks': {
    tag,
    summary: 'Lists tasks the caller may see.',
    query: {
      ...taskFilterQuery,
      sort: { description: 'Default: created.', schema: { enum: taskSortSchema.options } },
      descending: { description: 'Default: true.', schema: flag },
      limit: { description: `At most ${MAX_PAGE}.`, schema: number },
      after: { description: '`next` of the page before.' },
    },
    responses: {
      200: {
        description: 'A page.',
        schema: objectOf({ tasks: listOf('Task'), next: { type: ['string', 'null'] }, degraded: flag }),
      },
    },
  },
  'GET /api/tasks/:id': {
    tag,
    summary: 'One task.',
    responses: {
      200: {
        description: 'The task.',
        schema: objectOf({ task: ref('Task'), queuePosition: { type: ['integer', 'null'] } }),
      },
    },
  },
  'DELETE /api/tasks/:id': {
    tag,
    summary: 'Deletes a task that has ended, with its files.',
    responses: { 204: { description: 'Done.' } },
  },
  'POST /api/tasks/:id/retry': {
    tag,
    summary: 'A new task with the same spec.',
    headers: { 'idempotency-key': 'The same key never makes two tasks.' },
    responses: { 201: task },
  },
  'POST /api/tasks/:id/cancel': {
    tag,
    summary: 'Asks a task to stop, then stops it.',
    body: cancelBodySchema,
    bodyOptional: true,
    responses: { 200: task },
  },
  'GET /api/tasks/:id/events': {
    tag,
    summary: 'All events of a task, oldest first.',
    responses: { 200: { description: 'Events.', schema: objectOf({ entries: listOf('TimelineEntry') }) } },
  },
  'GET /api/tasks/:id/explain': {
    tag,
    summary: 'Why it waits, per worker and resource.',
    responses: { 200: { description: 'The explanation.', schema: ref('Explanation') } },
  },
  'GET /api/tasks/:id/logs': {
    tag,
    summary: 'Log lines: a page as JSON, or with `download` all lines as text.',
    query: {
      attempt: { description: 'Default: the newest.', schema: number },
      afterSeq: { description: 'Lines after this number.', schema: number },
      beforeSeq: { description: 'The last lines before this number.', schema: number },
      tail: { description: 'The last lines instead of the first.', schema: flag },
      stream: { description: 'Only this stream.', schema: { enum: logStreams } },
      search: { description: 'Lines that contain this text.' },
      limit: { description: 'At most 10,000.', schema: number },
      download: { description: 'All lines of the attempt as text/plain.', schema: flag },
      ticket: { description: 'A download ticket instead of a header.' },
    },
    responses: { 200: { description: 'A page.', schema: ref('LogPage') } },
  },
  'POST /api/tasks/:id/logs/ticket': {
    tag,
    summary: 'A link to the log as text, good for a minute without a header.',
    responses: { 201: { description: 'The link.', schema: ref('DownloadTicket') } },
  },
  'GET /api/tasks/:id/metrics': {
    tag: 'telemetry',
    summary: 'Measurements of a task.',
    query: seriesQuery(['task', 'gpu']),
    responses: { 200: { description: 'Series.', schema: ref('Series') } },
  },
  'GET /api/tasks/:id/files': {
    tag: 'files',
    summary: 'Files the task left in /output.',
    responses: { 200: { description: 'Files.', schema: objectOf({ files: listOf('Artifact') }) } },
  },
  'GET /api/tasks/:id/files/:fileId': {
    tag: 'files',
    summary: 'Downloads a file. HEAD is served as well.',
    query: { ticket: { description: 'A download ticket instead of a header.' } },
    headers: rangeHeaders,
    responses: {
      200: { description: 'The file.', ...file },
      206: { description: 'A part of it.', ...file },
      304: { description: 'The client has this file.' },
      416: { description: 'The range lies outside.', schema: ref('Error') },
    },
  },
  'POST /api/tasks/:id/files/:fileId/ticket': {
    tag: 'files',
    summary: 'A link to the file, good for a minute without a header.',
    responses: { 201: { description: 'The link.', schema: ref('DownloadTicket') } },
  },
};
