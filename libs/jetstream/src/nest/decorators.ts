import type { OutputOf, ParsedInputOf, RequestContext, RequestContract } from '@gantry/contracts/messaging/request';
import type { StreamDefinition } from '@gantry/contracts/messaging/streams';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import type { StreamMessage } from '../stream-message.js';

/** What a request carries besides its parsed input. */
export interface InboundRequest {
  context: RequestContext;
  /** The raw body, for contracts with `inputBytes`. */
  bytes?: Uint8Array;
  /** The concrete subject, for contracts with wildcards. */
  subject: string;
}

export interface StreamHandlerOptions {
  stream: StreamDefinition;
  /** Name of the durable consumer, shared by all replicas of the service. */
  durable: string;
  filter?: string;
  /** Messages held at once; different subjects run side by side, one subject in order. Default 256. */
  maxInFlight?: number;
  /** How long the broker waits for a sign of life before it delivers again. Default 30 s. */
  ackWaitMs?: number;
  /** Failures before a message goes to the dead letters (ten times as many while a part is unavailable). Default 20. */
  maxDeliver?: number;
  /** See `PullSessionOptions`. Default: each message is sent as it is stored. */
  gatherMs?: number;
}

export interface StreamBatchHandlerOptions {
  stream: StreamDefinition;
  durable: string;
  filter?: string;
  /** Default 500. */
  maxMessages?: number;
  /** A batch is handed over this long after its first message at the latest. Default 200 ms. */
  maxWaitMs?: number;
  /** The same while batches follow one another, or storing one takes long: fewer and larger ones are cheaper. Default `maxWaitMs`. */
  busyWaitMs?: number;
  /**
   * Batches handled side by side, so that one is prepared while another is stored. Default 1. With more, batches overtake each other.
   */
  lanes?: number;
  /** See `PullSessionOptions`. Default: a part of `maxWaitMs`, if that is long. */
  gatherMs?: number;
}

/** What the transport reads back from a handler (Nest calls it "extras"). */
export type HandlerExtras =
  | { kind: 'request'; contract: RequestContract }
  | { kind: 'stream'; options: StreamHandlerOptions }
  | { kind: 'batch'; options: StreamBatchHandlerOptions };

type MethodDecoratorFor<Method> = <M extends Method>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;
type Answer<T> = T | Uint8Array | Promise<T | Uint8Array>;

/**
 * Answers a request contract. The input is parsed before the method runs (`INPUT.INVALID` otherwise); a `GantryError` is
 * answered as it is, anything else is logged and answered as `INTERNAL`. Requests run side by side.
 */
export function HandleRequest<C extends RequestContract>(
  contract: C,
): MethodDecoratorFor<(input: ParsedInputOf<C>, request: InboundRequest) => Answer<OutputOf<C>>> {
  const extras: HandlerExtras = { kind: 'request', contract };
  const pattern = MessagePattern(contract.subject, extras);
  return (target, key, descriptor) => {
    // Nest hands an undecorated method its payload only; the second parameter is the `InboundRequest`.
    Payload()(target, key, 0);
    Ctx()(target, key, 1);
    pattern(target, key, descriptor);
  };
}

/**
 * Consumes a stream with a shared durable consumer, one message at a time per subject and in order. Acknowledged after the
 * method; delivered again after a failure or a crash, so the method must be idempotent. `retryable: false` dead-letters.
 */
export function HandleStream(
  options: StreamHandlerOptions,
): MethodDecoratorFor<(message: StreamMessage) => void | Promise<void>> {
  const extras: HandlerExtras = { kind: 'stream', options };
  return EventPattern(`stream:${options.stream.name}:${options.durable}`, extras) as never;
}

/**
 * Consumes a stream in batches, one batch at a time unless told otherwise. A failing batch is tried again, then split until the poison message
 * is alone, which is dead-lettered; while a part is unavailable the whole batch waits.
 */
export function HandleStreamBatch(
  options: StreamBatchHandlerOptions,
): MethodDecoratorFor<(messages: StreamMessage[]) => void | Promise<void>> {
  const extras: HandlerExtras = { kind: 'batch', options };
  return EventPattern(`stream:${options.stream.name}:${options.durable}`, extras) as never;
}
