import { listOf, objectOf, ref, type RouteDescription } from './document.js';

export const deadLetterRoutes: Readonly<Record<string, RouteDescription>> = {
  'GET /api/admin/dead-letters': {
    tag: 'system',
    summary: 'Messages that no handler could process, newest first. A page may be short and still have a `next`.',
    query: {
      limit: { description: 'At most 100.', schema: { type: 'number' } },
      after: { description: '`next` of the page before.' },
      stream: { description: 'Only of this stream.' },
      consumer: { description: 'Only of this consumer.' },
      state: { description: 'open (default), replayed, discarded or all.' },
    },
    responses: {
      200: {
        description: 'A page.',
        schema: objectOf({ deadLetters: listOf('DeadLetter'), next: { type: ['string', 'null'] } }),
      },
    },
  },
  'GET /api/admin/dead-letters/:id': {
    tag: 'system',
    summary: 'One of them with its headers and the beginning of its body.',
    responses: { 200: { description: 'The dead letter.', schema: ref('DeadLetterDetail') } },
  },
  'POST /api/admin/dead-letters/:id/replay': {
    tag: 'system',
    summary: 'Hands it once to the consumer that gave it up; it stays open when that fails again (409).',
    responses: { 200: { description: 'It was processed.', schema: ref('DeadLetter') } },
  },
  'DELETE /api/admin/dead-letters/:id': {
    tag: 'system',
    summary: 'Closes it without processing it; it can be looked at until it is 30 days old.',
    responses: { 200: { description: 'It is closed.', schema: ref('DeadLetter') } },
  },
};
