import { getHealth } from '@gantry/contracts/messaging/request';
import { streams } from '@gantry/contracts/messaging/streams';
import { systemClock } from '@gantry/kernel/clock';
import type { HealthState } from '@gantry/nest-platform/health';
import type { Logger } from '@gantry/nest-platform/logger';
import type { MessagingMetrics } from '@gantry/nest-platform/messaging-metrics';
import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import type { NatsConnection } from '@nats-io/transport-node';
import { isObservable, lastValueFrom } from 'rxjs';
import { backOff, pause } from '../pause.js';
import { ensureStream } from '../stream-admin.js';
import { BatchConsumer } from './batch-consumer.js';
import { DeadLetterOffice } from './dead-letter-office.js';
import { DEAD_LETTER_GROUP, deadLetterRequests } from './dead-letter.requests.js';
import type { RunningConsumer } from './consumer-host.js';
import type { HandlerExtras } from './decorators.js';
import { replayTargetsOf, type ReplayTarget } from './replay-targets.js';
import { RequestResponder } from './request-responder.js';
import { StreamConsumer } from './stream-consumer.js';

export interface GantryTransportOptions {
  nc: NatsConnection;
  /** Queue group of the requests and name in `query.<service>.get-health`. */
  service: string;
  logger: Logger;
  health: HealthState;
  metrics: MessagingMetrics;
}

type NestHandler = (data: unknown, context?: unknown) => Promise<unknown>;

/**
 * Connects Nest's handlers to the broker: `@HandleRequest` to a queue subscription, `@HandleStream` and
 * `@HandleStreamBatch` to durable consumers. It shares the service's connection and does not close it.
 */
export class GantryTransport extends Server implements CustomTransportStrategy {
  override readonly transportId = Symbol('gantry');
  /** Failures of stream handlers decide about the acknowledgement, so they must reach us. */
  override readonly propagatesEventHandlerErrors = true;
  private readonly responders: RequestResponder[] = [];
  private readonly consumers: RunningConsumer[] = [];
  private readonly closing = new AbortController();

  constructor(private readonly options: GantryTransportOptions) {
    super();
  }

  /** Ready when requests are answered; consumers whose stream does not exist yet start as soon as it does. */
  listen(callback: (error?: unknown) => void): void {
    const { nc, service, health } = this.options;
    const targets = [...replayTargetsOf(nc)];
    try {
      const contract = getHealth(service);
      this.answer(contract, () => Promise.resolve(health.report()));
      for (const [pattern, handler] of this.messageHandlers) {
        const extras = handler.extras as HandlerExtras | undefined;
        if (extras?.kind === undefined) throw new Error(`Handler of "${pattern}" has no Gantry decorator.`);
        if (handler.next !== undefined)
          throw new Error(`Two handlers share the durable consumer "${pattern}". Give each its own.`);
        const call = handler as unknown as NestHandler;
        if (extras.kind === 'request') this.answer(extras.contract, (input, request) => settle(call(input, request)));
        else {
          const { stream, durable } = extras.options;
          const consumer =
            extras.kind === 'stream'
              ? new StreamConsumer(this.options, extras.options, (message) => settle(call(message)))
              : new BatchConsumer(this.options, extras.options, (messages) => settle(call(messages)));
          this.consumers.push(consumer);
          targets.push({ stream: stream.name, consumer: durable, author: consumer });
        }
      }
      if (targets.length > 0) this.answerDeadLetters(targets);
      nc.flush().then(
        () => callback(),
        (error: unknown) => callback(error),
      );
    } catch (error) {
      callback(error);
    }
  }

  /** Takes in nothing new, finishes what is in hand. */
  async close(): Promise<void> {
    this.closing.abort();
    const running = [...this.responders, ...this.consumers].map((part) => part.stop());
    await Promise.all(running);
  }

  on(): never {
    throw new Error('The transport has no events of its own; watch the connection.');
  }

  unwrap<T>(): T {
    return this.options.nc as T;
  }

  private answer(
    contract: ConstructorParameters<typeof RequestResponder>[2],
    handler: ConstructorParameters<typeof RequestResponder>[3],
    group = this.options.service,
  ): void {
    const { nc, logger, metrics } = this.options;
    this.responders.push(new RequestResponder(nc, group, contract, handler, logger, metrics));
  }

  private answerDeadLetters(targets: readonly ReplayTarget[]): void {
    const { nc, logger } = this.options;
    void this.ensureDeadLetters(nc);
    const office = new DeadLetterOffice(nc, systemClock);
    for (const { contract, handler } of deadLetterRequests(office, targets, logger))
      this.answer(contract, handler, DEAD_LETTER_GROUP);
  }

  private async ensureDeadLetters(nc: NatsConnection): Promise<void> {
    for (let round = 0; !this.closing.signal.aborted; round += 1) {
      try {
        await ensureStream(nc, streams.dlq);
        return;
      } catch (error) {
        if (round === 0) this.options.logger.warn({ err: error }, 'dead letter stream not ready');
        await pause(backOff(round, 50, 2_000), this.closing.signal);
      }
    }
  }
}

/** Nest answers with a value or, after an exception filter, with an observable that fails. */
async function settle(answer: Promise<unknown>): Promise<unknown> {
  const value = await answer;
  return isObservable(value) ? await lastValueFrom(value, { defaultValue: undefined }) : value;
}
