import { type StreamDefinition, streams } from '@gantry/contracts/messaging/streams';
import { connectNats } from '@gantry/jetstream/connect';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { FreeTable } from '../harness/bench.port.js';
import type { ServiceSystem } from './service-system.js';

/** Durable consumers have names that people gave them; those of readers that start anew each time are random. */
const DURABLE = /^[a-z]+(-[a-z]+)*$/;
const PUBLISH_ANSWER = /^\{"stream":"([A-Z_a-z]+)"/;
/** Bytes of an answer that are looked at. */
const HEAD = 64;
const decoder = new TextDecoder();

/** What comes by the clock (heartbeats, samples) is no part of a task. */
const streamsOfTasks = [streams.tasks, streams.assign, streams.sched, streams.reports, streams.logs];

const UNNAMED = 'a reader of its own';
const consumerName = (name: string): string => (DURABLE.test(name) ? name : UNNAMED);
const publishedKind = (subject: string): string => `${subject}.* published`;

/** What a message is for: its subject, or what it says where the subject is only an address for answers. */
export function kindOf(subject: string, reply: string | undefined, head: string): string {
  const [first = '', second = '', ...rest] = subject.split('.');
  if (first === '$JS' && second === 'ACK') return `${rest[0]} confirmed by ${consumerName(rest[1] ?? '')}`;
  if (subject.startsWith('$JS.API.CONSUMER.MSG.NEXT.')) return `${rest[3]} asked for by ${consumerName(rest[4] ?? '')}`;
  if (first === '$JS') return `other requests to JetStream (${[second, ...rest.slice(0, 2)].join('.')})`;
  if (reply?.startsWith('$JS.ACK.') === true) {
    const [, , stream = '', consumer = ''] = reply.split('.');
    return `${stream} delivered to ${consumerName(consumer)}`;
  }
  if (first === '_INBOX') {
    const stream = PUBLISH_ANSWER.exec(head)?.[1];
    return stream === undefined ? 'answers to requests' : `${stream} acknowledged to the writer`;
  }
  if (first === 'cmd' || first === 'query') return `request ${subject}`;
  return publishedKind(first);
}

/** What one task makes the broker store in a stream and hand over from it. */
export interface StreamFlow {
  /** As the definitions call it, in capitals. */
  readonly stream: string;
  /** Messages of one task. */
  readonly stored: number;
  /** Of a message's body. */
  readonly bytes: number;
  /** How many readers get each message without confirming it. */
  readonly readers: number;
  /** Durable consumers that confirm each message. */
  readonly durables: readonly string[];
}

/** All of one task: what streams have, and requests with their answers. */
export interface BrokerFlow {
  readonly streams: readonly StreamFlow[];
  readonly requests: number;
  readonly requestBytes: number;
}

/** Hears every message at the broker and counts them by what they are for. It costs a delivery each, so no time is taken meanwhile. */
class MessageTap {
  private readonly counts = new Map<string, number>();
  private readonly bytes = new Map<string, number>();

  private constructor(private readonly nc: NatsConnection) {}

  static async open({ environment }: ServiceSystem): Promise<MessageTap> {
    const nc = await connectNats({
      url: environment['NATS_URL'] ?? '',
      user: environment['NATS_USER'],
      password: environment['NATS_PASSWORD'],
      name: 'bench-tap',
    });
    const tap = new MessageTap(nc);
    nc.subscribe('>', {
      callback: (_error, message) => tap.take(message),
    });
    await nc.flush();
    return tap;
  }

  async close(): Promise<void> {
    await this.nc.drain();
  }

  /** Messages of one task, of `tasks` that ran meanwhile, most frequent first. */
  table(tasks: number): FreeTable {
    const rows = [...this.counts]
      .map(([kind, count]): [string, number] => [kind, count / tasks])
      .sort(([, a], [, b]) => b - a);
    const shown = rows.filter(([, count]) => count >= 0.05);
    const rest = rows.slice(shown.length).reduce((sum, [, count]) => sum + count, 0);
    const all = rows.reduce((sum, [, count]) => sum + count, 0);
    return {
      title: 'Messages of one task at the broker',
      columns: ['message', 'a task'],
      rows: [...shown, ['everything else', rest], ['all', all]],
    };
  }

  /** The same for a bare broker to repeat. */
  flow(tasks: number): BrokerFlow {
    const requests = [...this.counts.keys()].filter((kind) => kind.startsWith('request '));
    const sum = (of: ReadonlyMap<string, number>): number =>
      requests.reduce((total, kind) => total + (of.get(kind) ?? 0), 0);
    return {
      streams: streamsOfTasks.flatMap((definition) => this.streamFlow(tasks, definition)),
      requests: sum(this.counts) / tasks,
      requestBytes: Math.round(sum(this.bytes) / Math.max(1, sum(this.counts))),
    };
  }

  private streamFlow(tasks: number, { name, subjects: [subject = ''] }: StreamDefinition): StreamFlow[] {
    const kind = publishedKind(subject.split('.')[0] ?? '');
    const stored = this.counts.get(kind) ?? 0;
    if (stored === 0) return [];
    const delivered = `${name} delivered to `;
    const consumers = [...this.counts.keys()].flatMap((key) =>
      key.startsWith(delivered) ? [key.slice(delivered.length)] : [],
    );
    return [
      {
        stream: name,
        stored: stored / tasks,
        bytes: Math.round((this.bytes.get(kind) ?? 0) / stored),
        readers: Math.round((this.counts.get(`${delivered}${UNNAMED}`) ?? 0) / stored),
        durables: consumers.filter((consumer) => consumer !== UNNAMED),
      },
    ];
  }

  private take({ subject, reply, data }: Msg): void {
    const kind = kindOf(subject, reply, decoder.decode(data.subarray(0, HEAD)));
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.bytes.set(kind, (this.bytes.get(kind) ?? 0) + data.length);
  }
}

/** Messages by kind of one round of `tasks`, and what of them the broker stores and delivers. */
export async function tappedRound(
  system: ServiceSystem,
  tasks: number,
  round: () => Promise<unknown>,
): Promise<{ readonly table: FreeTable; readonly flow: BrokerFlow }> {
  const tap = await MessageTap.open(system);
  try {
    await round();
    return { table: tap.table(tasks), flow: tap.flow(tasks) };
  } finally {
    await tap.close();
  }
}
