import { randomUUID } from 'node:crypto';
import {
  type RequestContext,
  type RequestContract,
  requestContextSchema,
  requestHeaders,
} from '@gantry/contracts/messaging/request';
import { GantryError } from '@gantry/kernel/gantry-error';
import { TransientSet } from '@gantry/kernel/transient-set';
import type { Logger } from '@gantry/nest-platform/logger';
import type { MessagingMetrics } from '@gantry/nest-platform/messaging-metrics';
import { headers, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { parseJsonBytes } from '../stream-message.js';
import type { InboundRequest } from './decorators.js';

export type RequestHandler = (input: unknown, request: InboundRequest) => Promise<unknown>;

/** More than this at once means we are drowning: say so at once instead of answering everybody too late. */
const MOST_AT_ONCE = 2_000;

const okHeaders = headers();
okHeaders.set(requestHeaders.status, 'ok');
const errorHeaders = headers();
errorHeaders.set(requestHeaders.status, 'error');

/** Answers one contract for one service; replicas share the requests through the queue group. */
export class RequestResponder {
  private readonly subscription: Subscription;
  private readonly inHand = new TransientSet<Promise<void>>();

  constructor(
    private readonly nc: NatsConnection,
    service: string,
    private readonly contract: RequestContract,
    private readonly handler: RequestHandler,
    private readonly logger: Logger,
    private readonly metrics: MessagingMetrics,
  ) {
    this.subscription = nc.subscribe(contract.subject, {
      queue: service,
      callback: (error, message) => {
        if (error !== null) this.logger.error({ subject: contract.subject, err: error }, 'subscription refused');
        else this.accept(message);
      },
    });
  }

  /** Takes no more requests and waits for the ones in hand. */
  async stop(): Promise<void> {
    if (!this.nc.isClosed()) await this.subscription.drain();
    await Promise.all(this.inHand);
  }

  private accept(message: Msg): void {
    if (this.inHand.size >= MOST_AT_ONCE) {
      this.answerError(
        message,
        new GantryError('SERVICE.BUSY', 'unavailable', 'The service is busy. Try again in a moment.'),
      );
      return;
    }
    const work = this.answer(message).finally(() => this.inHand.delete(work));
    this.inHand.add(work);
  }

  /** Never throws. */
  private async answer(message: Msg): Promise<void> {
    const started = performance.now();
    let outcome = 'ok';
    let context: RequestContext | undefined;
    try {
      context = contextOf(message);
      const input = this.inputOf(message);
      const request: InboundRequest = {
        context,
        subject: message.subject,
        ...(this.contract.inputBytes ? { bytes: message.data } : {}),
      };
      this.answerValue(message, await this.handler(input, request));
    } catch (error) {
      outcome = this.answerError(message, error, context);
    }
    this.metrics.request(this.contract.subject, outcome, (performance.now() - started) / 1_000);
  }

  private inputOf(message: Msg): unknown {
    const parsed = this.contract.input.safeParse(this.rawInput(message));
    if (parsed.success) return parsed.data;
    const fields = parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
    throw new GantryError('INPUT.INVALID', 'invalid', 'Some fields are not right. Correct them and try again.', {
      fields,
    });
  }

  private rawInput(message: Msg): unknown {
    try {
      if (this.contract.inputBytes) return JSON.parse(message.headers?.get(requestHeaders.input) || '{}') as unknown;
      return message.data.length === 0 ? {} : parseJsonBytes(message.data);
    } catch {
      throw new GantryError(
        'INPUT.INVALID',
        'invalid',
        'The request is not JSON. Send the input of the contract as JSON.',
      );
    }
  }

  private answerValue(message: Msg, result: unknown): void {
    const bytes = result instanceof Uint8Array ? result : Buffer.from(JSON.stringify(result ?? null));
    const most = this.nc.info?.max_payload ?? 1_048_576;
    if (bytes.length + 1_024 > most) {
      throw new GantryError(
        'REPLY.TOO_LARGE',
        'limit',
        'The answer is larger than one message may be. Ask for less at once.',
        { retryable: false },
      );
    }
    this.respond(message, bytes, okHeaders);
  }

  /** Answers the error's code. */
  private answerError(message: Msg, error: unknown, context?: RequestContext): string {
    const body = GantryError.bodyOf(error);
    const fields = { subject: message.subject, code: body.code, ...idsOf(context) };
    if (body.kind === 'internal') this.logger.error({ ...fields, err: error }, 'request failed');
    else this.logger.debug(fields, 'request refused');
    this.respond(message, Buffer.from(JSON.stringify(body)), errorHeaders);
    return body.code;
  }

  private respond(message: Msg, bytes: Uint8Array, sent: typeof okHeaders): void {
    // The asker is gone when the connection is; it asks again.
    if (!this.nc.isClosed()) message.respond(bytes, { headers: sent });
  }
}

/** By which a log line is found that belongs to a request. */
function idsOf(context: RequestContext | undefined): Record<string, string> {
  if (context === undefined) return {};
  const traceId = context.traceparent?.split('-')[1];
  return { correlationId: context.correlationId, ...(traceId === undefined ? {} : { traceId }) };
}

/** From the header; a bare request (a person with the `nats` tool) is anonymous, and handlers decide what that may do. */
function contextOf(message: Msg): RequestContext {
  const header = message.headers?.get(requestHeaders.context);
  const traceparent = message.headers?.get('traceparent');
  if (header === undefined || header === '') {
    return { actor: { kind: 'anonymous' }, correlationId: randomUUID(), ...(traceparent ? { traceparent } : {}) };
  }
  try {
    return requestContextSchema.parse(JSON.parse(header));
  } catch (cause) {
    throw new GantryError(
      'CONTEXT.INVALID',
      'invalid',
      `The header ${requestHeaders.context} is not a request context.`,
      { cause },
    );
  }
}
