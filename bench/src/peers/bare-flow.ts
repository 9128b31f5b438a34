import { type StreamDefinition, streams } from '@gantry/contracts/messaging/streams';
import { connectNats } from '@gantry/jetstream/connect';
import { followStream } from '@gantry/jetstream/follow-stream';
import { jetStreamOf, publishUntilAcknowledged } from '@gantry/jetstream/publisher';
import { ensureStream, manager } from '@gantry/jetstream/stream-admin';
import { type NatsServerFixture, startNatsServer } from '@gantry/testing/nats-server.fixture';
import { AckPolicy } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { BrokerFlow, StreamFlow } from '../system/message-tap.js';
import { until } from '../system/until.js';

const CONCURRENCY = 128;
const PREFETCH = 500;
const REQUEST = 'bare.request';

/** Subject of one task's message in a stream, of as many parts as the stream's pattern wants. */
function subjectOf({ subjects: [pattern = ''] }: StreamDefinition, task: string): string {
  return pattern.replace('>', `0.${task}`).replace('*.*', `w.${task}`).replace('*', task);
}

/**
 * What tasks make the broker do, without any of the work around it: as many messages of the same size into the same streams with
 * the same fences and ids, one after the other as in a task's life, and as many readers and confirmations. Nobody looks at a
 * body. One process writes, and reads through a second connection.
 */
export class BareFlow {
  private readonly stopping = new AbortController();
  private readonly delivered = new Map<string, number>();
  private tasks = 0;

  private constructor(
    private readonly server: NatsServerFixture,
    private readonly writer: NatsConnection,
    private readonly reader: NatsConnection,
    private readonly flow: BrokerFlow,
  ) {}

  static async start(flow: BrokerFlow): Promise<BareFlow> {
    const server = await startNatsServer();
    const connect = (name: string) => connectNats({ url: server.url, name });
    const bare = new BareFlow(server, await connect('bench-writer'), await connect('bench-reader'), flow);
    await bare.listen();
    return bare;
  }

  /** Tasks a second until the last delivery of the last one. */
  async rate(count: number): Promise<number> {
    const startedAt = performance.now();
    const last = this.tasks + count;
    const lane = async (): Promise<void> => {
      while (this.tasks < last) {
        this.tasks += 1;
        await this.one(this.tasks);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, lane));
    await until(() => Promise.resolve(this.allDelivered()), 60_000, 5);
    return count / ((performance.now() - startedAt) / 1_000);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.writer.close();
    await this.reader.close();
    await this.server.stop();
  }

  private async listen(): Promise<void> {
    this.reader.subscribe(REQUEST, { callback: (_error, message) => void message.respond(message.data) });
    const jsm = await manager(this.reader);
    for (const { stream, readers, durables } of this.flow.streams) {
      const definition = definitionOf(stream);
      await ensureStream(this.reader, definition);
      for (let number = 0; number < readers; number += 1) this.follow(stream, `reader ${number}`);
      for (const durable of durables) {
        await jsm.consumers.add(stream, { durable_name: durable, ack_policy: AckPolicy.Explicit });
        await this.consume(stream, durable);
      }
    }
    await this.reader.flush();
  }

  private follow(stream: string, name: string): void {
    void followStream(this.reader, stream, {
      fromSequence: 1,
      onMessage: () => this.count(stream, name),
      signal: this.stopping.signal,
    }).catch(() => undefined);
  }

  private async consume(stream: string, durable: string): Promise<void> {
    const consumer = await jetStreamOf(this.reader).consumers.get(stream, durable);
    await consumer.consume({
      max_messages: PREFETCH,
      callback: (message) => {
        message.ack();
        this.count(stream, durable);
      },
    });
  }

  private count(stream: string, reader: string): void {
    const key = `${stream} ${reader}`;
    this.delivered.set(key, (this.delivered.get(key) ?? 0) + 1);
  }

  /** A share of a message (an assignment that several tasks have in common) becomes a whole one every few tasks. */
  private upTo(perTask: number, tasks = this.tasks): number {
    return Math.floor(tasks * perTask + 1e-9);
  }

  private allDelivered(): boolean {
    return this.flow.streams.every(({ stream, stored, readers, durables }) => {
      const names = [...Array.from({ length: readers }, (_, number) => `reader ${number}`), ...durables];
      return names.every((name) => (this.delivered.get(`${stream} ${name}`) ?? 0) >= this.upTo(stored));
    });
  }

  private async one(task: number): Promise<void> {
    const { requests, requestBytes } = this.flow;
    for (let number = this.upTo(requests, task - 1); number < this.upTo(requests, task); number += 1)
      await this.writer.request(REQUEST, new Uint8Array(requestBytes), { timeout: 20_000 });
    for (const flow of this.flow.streams) await this.store(flow, task);
  }

  private async store({ stream, stored, bytes }: StreamFlow, task: number): Promise<void> {
    const definition = definitionOf(stream);
    const subject = subjectOf(definition, `task-${task}`);
    let lastSubjectSequence = 0;
    for (let number = this.upTo(stored, task - 1); number < this.upTo(stored, task); number += 1) {
      // Agents say what they know; only the services, which decide, fence what they write.
      const fence = definition.owner === 'agents' ? {} : { lastSubjectSequence };
      const rules = { msgId: `${stream}-${number}`, ...fence };
      const result = await publishUntilAcknowledged(this.writer, subject, new Uint8Array(bytes), rules, {
        timeoutMs: 20_000,
      });
      lastSubjectSequence = result.sequence;
    }
  }
}

/** What stands beside ours, for readers of the figures. */
export function flowNote({ streams: flows, requests }: BrokerFlow): string {
  const parts = flows.map(({ stream, stored, bytes, readers, durables }) => {
    const share = Number(stored.toPrecision(2));
    return `${stream} ${share} of ${bytes} bytes to ${readers + durables.length} readers (${durables.length} confirm)`;
  });
  return `The bare broker stores and delivers as many messages of a task, as large, into the same streams with the same fences and message ids, in sequence for each task and ${CONCURRENCY} tasks at a time, from one process that looks into none of them: ${parts.join(', ')}, and ${Number(requests.toPrecision(2))} requests with their answers. Heartbeats, which come by the clock, are left out.`;
}

function definitionOf(name: string): StreamDefinition {
  const definition = Object.values(streams).find((stream) => stream.name === name);
  if (definition === undefined) throw new Error(`No stream is called ${name}.`);
  return definition;
}
