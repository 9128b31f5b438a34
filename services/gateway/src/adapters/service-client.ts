import type { InputOf, OutputOf, RequestContext, RequestContract } from '@gantry/contracts/messaging/request';
import { parseInput } from '../edge/parse-input.js';
import { requestContext, type Caller } from '../security/caller.js';

/** Port to the services; `RequestClient` of @gantry/jetstream is the real one. */
export interface ServiceRequests {
  request<C extends RequestContract>(contract: C, input: InputOf<C>, context: RequestContext): Promise<OutputOf<C>>;
  requestBytes<C extends RequestContract>(contract: C, input: InputOf<C>, context: RequestContext): Promise<Uint8Array>;
}

/** What the gateway asks for itself: signing keys, health, views for live feeds. */
export const gatewayContext = (correlationId: string): RequestContext => ({
  actor: { kind: 'service', id: 'gateway' },
  correlationId,
});

/**
 * Asks services on behalf of a caller. Input is checked here already, so that a wrong field is told with the name the
 * caller used (`prefix` is cut off the path) and nothing malformed crosses the broker.
 */
export class ServiceClient {
  constructor(private readonly requests: ServiceRequests) {}

  async ask<C extends RequestContract>(
    contract: C,
    input: InputOf<C>,
    caller: Caller,
    prefix = '',
  ): Promise<OutputOf<C>> {
    const parsed = parseInput(contract.input, input, prefix) as InputOf<C>;
    return this.requests.request(contract, parsed, requestContext(caller));
  }

  async askBytes<C extends RequestContract>(contract: C, input: InputOf<C>, caller: Caller): Promise<Uint8Array> {
    const parsed = parseInput(contract.input, input) as InputOf<C>;
    return this.requests.requestBytes(contract, parsed, requestContext(caller));
  }

  /** A question of the gateway's own; the answer must be filtered before a caller sees it. */
  async askAsGateway<C extends RequestContract>(
    contract: C,
    input: InputOf<C>,
    correlationId: string,
  ): Promise<OutputOf<C>> {
    return this.requests.request(contract, input, gatewayContext(correlationId));
  }
}
