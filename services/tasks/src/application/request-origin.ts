import type { RequestContext } from '@gantry/contracts/messaging/request';
import type { CommandOrigin } from '@gantry/event-sourcing/command-handler';

/** A person's request as the origin of a commit. */
export function requestOrigin(context: RequestContext, commandId: string): CommandOrigin {
  const { actor, correlationId, traceparent } = context;
  return {
    commandId,
    actor,
    correlationId,
    causationId: correlationId,
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}
