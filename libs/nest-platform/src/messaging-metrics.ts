import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export type MessageOutcome = 'done' | 'retried' | 'dead_lettered' | 'returned' | 'replayed';

/** What the transport measures, under the names that dashboards and alerts use. */
export class MessagingMetrics {
  private readonly requests: Histogram<'subject' | 'outcome'>;
  private readonly messages: Counter<'consumer' | 'outcome'>;
  private readonly inHand: Gauge<'consumer'>;
  private readonly inQuarantine: Gauge<'consumer'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.requests = new Histogram({
      name: 'gantry_request_seconds',
      help: 'Time to answer one request, by contract and outcome (ok or error code).',
      labelNames: ['subject', 'outcome'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    this.messages = new Counter({
      name: 'gantry_stream_messages_total',
      help: 'Stream messages by durable consumer and what became of them.',
      labelNames: ['consumer', 'outcome'],
      registers,
    });
    this.inHand = new Gauge({
      name: 'gantry_stream_messages_in_hand',
      help: 'Stream messages received and not yet acknowledged.',
      labelNames: ['consumer'],
      registers,
    });
    this.inQuarantine = new Gauge({
      name: 'gantry_stream_messages_quarantined',
      help: 'Stream messages that a reader of the whole stream could not take in; each waits for an administrator.',
      labelNames: ['consumer'],
      registers,
    });
  }

  request(subject: string, outcome: string, seconds: number): void {
    this.requests.observe({ subject, outcome }, seconds);
  }

  message(consumer: string, outcome: MessageOutcome, count = 1): void {
    this.messages.inc({ consumer, outcome }, count);
  }

  held(consumer: string, count: number): void {
    this.inHand.set({ consumer }, count);
  }

  quarantined(consumer: string, count: number): void {
    this.inQuarantine.set({ consumer }, count);
  }
}
