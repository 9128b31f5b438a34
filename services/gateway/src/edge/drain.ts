import { TransientSet } from '@gantry/kernel/transient-set';
import type { FastifyInstance } from 'fastify';

/** Well inside the 8 s that a stop may take altogether. */
const PATIENCE_MS = 5_000;

/**
 * Lets the requests in hand come to their end. `drain` stops listening, asks clients to take their next request elsewhere,
 * and resolves when nothing is in hand or 5 s are over. Event streams have no end of their own and are not waited for.
 */
export function drainOnStop(server: FastifyInstance): { drain: () => Promise<void> } {
  const inHand = new TransientSet<unknown>();
  let draining = false;
  let emptied: () => void = () => undefined;
  const leave = (request: unknown) => {
    inHand.delete(request);
    if (draining && inHand.size === 0) emptied();
  };
  server.addHook('onRequest', async (request, reply) => {
    inHand.add(request);
    reply.raw.once('close', () => leave(request));
  });
  server.addHook('onSend', async (request, reply) => {
    if (draining) reply.header('connection', 'close');
    if (String(reply.getHeader('content-type') ?? '').startsWith('text/event-stream')) leave(request);
  });
  return {
    drain: async () => {
      draining = true;
      // Also closes the connections that are idle now; the busy ones end with their answer.
      server.server.close();
      if (inHand.size === 0) return;
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        new Promise<void>((resolve) => (emptied = resolve)),
        new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS))),
      ]);
      clearTimeout(timer);
    },
  };
}
