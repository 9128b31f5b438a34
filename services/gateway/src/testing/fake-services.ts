import { headers, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import {
  requestContextSchema,
  requestHeaders,
  type OutputOf,
  type ParsedInputOf,
  type RequestContext,
  type RequestContract,
} from '@gantry/contracts/messaging/request';
import { GantryError } from '@gantry/kernel/gantry-error';

type Handler<C extends RequestContract> = (
  input: ParsedInputOf<C>,
  context: RequestContext,
) => OutputOf<C> | Uint8Array | Promise<OutputOf<C> | Uint8Array>;

/** Plays the services behind the gateway on a real broker, in the wire form of the contracts. */
export class FakeServices {
  readonly requests: { subject: string; input: unknown; context: RequestContext }[] = [];
  private readonly subscriptions = new Map<string, Subscription>();

  constructor(private readonly nc: NatsConnection) {}

  /** Answers a contract; answering it again replaces the handler. */
  on<C extends RequestContract>(contract: C, handler: Handler<C>): void {
    this.off(contract);
    this.subscriptions.set(
      contract.subject,
      this.nc.subscribe(contract.subject, {
        callback: (_error, message) => {
          void (async () => {
            const reply = headers();
            try {
              const context = requestContextSchema.parse(
                JSON.parse(message.headers?.get(requestHeaders.context) ?? '{}'),
              );
              const input = contract.input.parse(message.json()) as ParsedInputOf<C>;
              this.requests.push({ subject: contract.subject, input, context });
              const output = await handler(input, context);
              reply.set(requestHeaders.status, 'ok');
              message.respond(output instanceof Uint8Array ? output : JSON.stringify(contract.output.parse(output)), {
                headers: reply,
              });
            } catch (error) {
              reply.set(requestHeaders.status, 'error');
              const body =
                error instanceof GantryError
                  ? error.toBody()
                  : { code: 'FAKE.FAILED', kind: 'internal', message: String(error), retryable: false };
              message.respond(JSON.stringify(body), { headers: reply });
            }
          })();
        },
      }),
    );
  }

  off(contract: RequestContract): void {
    this.subscriptions.get(contract.subject)?.unsubscribe();
    this.subscriptions.delete(contract.subject);
  }

  asked(contract: RequestContract): { input: unknown; context: RequestContext }[] {
    return this.requests.filter(({ subject }) => subject === contract.subject);
  }
}
