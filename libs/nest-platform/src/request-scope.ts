import { AsyncLocalStorage } from 'node:async_hooks';
import type { RequestContext } from '@gantry/contracts/messaging/request';

const storage = new AsyncLocalStorage<RequestContext>();

/** Runs `work` with `context` as the current one: log lines written inside carry its correlation and trace id. */
export function withRequestContext<T>(context: RequestContext, work: () => T): T {
  return storage.run(context, work);
}

export function currentRequestContext(): RequestContext | undefined {
  return storage.getStore();
}

/** Fields of the current request for a log line; none outside of a request. */
export function requestLogFields(): Record<string, string> {
  const context = storage.getStore();
  if (context === undefined) return {};
  const traceId = context.traceparent?.split('-')[1];
  return { correlationId: context.correlationId, ...(traceId === undefined ? {} : { traceId }) };
}
