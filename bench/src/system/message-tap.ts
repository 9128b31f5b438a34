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

const consumerName = (name: string): string => (DURABLE.test(name) ? name : 'a reader of its own');

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
  return `${first}.* published`;
}

/** Hears every message at the broker and counts them by what they are for. It costs a delivery each, so no time is taken meanwhile. */
class MessageTap {
  private readonly counts = new Map<string, number>();

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

  private take({ subject, reply, data }: Msg): void {
    const kind = kindOf(subject, reply, decoder.decode(data.subarray(0, HEAD)));
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }
}

/** Messages by kind of one round of `tasks`. */
export async function tappedRound(
  system: ServiceSystem,
  tasks: number,
  round: () => Promise<unknown>,
): Promise<FreeTable> {
  const tap = await MessageTap.open(system);
  try {
    await round();
    return tap.table(tasks);
  } finally {
    await tap.close();
  }
}
