import { randomBytes } from 'node:crypto';
import { REPORTS_CONSUMER, streams, subjects } from '@gantry/contracts/messaging/streams';
import { connectNats } from '@gantry/jetstream/connect';
import { jetStreamOf } from '@gantry/jetstream/publisher';
import { ensureStream, manager } from '@gantry/jetstream/stream-admin';
import { type NatsServerFixture, startNatsServer } from '@gantry/testing/nats-server.fixture';
import { AckPolicy } from '@nats-io/jetstream';
import { createInbox, type NatsConnection } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JetStreamPendingReports } from './jetstream-pending-reports.js';

const REPORTS = streams.reports.name;

describe('reports that nobody has read', () => {
  let server: NatsServerFixture;
  let nc: NatsConnection;
  let pending: JetStreamPendingReports;

  beforeEach(async () => {
    server = await startNatsServer();
    nc = await connectNats({ url: server.url, name: 'test' });
    pending = new JetStreamPendingReports(nc);
  });

  afterEach(async () => {
    await nc.close();
    await server.stop();
  });

  const report = (taskId: string, bytes = 10) =>
    jetStreamOf(nc).publish(subjects.report('w1', taskId), randomBytes(bytes));

  const readAll = async () => {
    const jsm = await manager(nc);
    await jsm.consumers.add(REPORTS, { durable_name: REPORTS_CONSUMER, ack_policy: AckPolicy.Explicit });
    const consumer = await jetStreamOf(nc).consumers.get(REPORTS, REPORTS_CONSUMER);
    const messages = await consumer.fetch({ max_messages: 1_000, expires: 1_000 });
    for await (const message of messages) await message.ackAck();
  };

  /** The state of a backup that nobody reads on with: the broker takes a snapshot until its reader is gone. */
  const snapshotUnderWay = async (): Promise<() => void> => {
    for (let n = 0; n < 48; n += 1) await report('large', 512 * 1024);
    const inbox = createInbox();
    const chunks = nc.subscribe(inbox);
    const request = { deliver_subject: inbox, no_consumers: true, chunk_size: 4_096 };
    await nc.request(`$JS.API.STREAM.SNAPSHOT.${REPORTS}`, JSON.stringify(request));
    return () => chunks.unsubscribe();
  };

  it('are those of the same worker and task that are not acknowledged', async () => {
    expect(await pending.has('w1', 't1')).toBe(false);
    await ensureStream(nc, streams.reports);
    expect(await pending.has('w1', 't1')).toBe(false);
    await report('t1');
    expect(await pending.has('w1', 't1')).toBe(true);
    expect(await pending.has('w2', 't1')).toBe(false);
    expect(await pending.has('w1', 't2')).toBe(false);
    await readAll();
    expect(await pending.has('w1', 't1')).toBe(false);
    await report('t1');
    expect(await pending.has('w1', 't1')).toBe(true);
  });

  it('are not those that stay in the queue because they were acknowledged while a backup was made', async () => {
    await ensureStream(nc, streams.reports);
    await report('t1');
    const end = await snapshotUnderWay();
    await readAll();
    end();
    const { state } = await (await manager(nc)).streams.info(REPORTS);
    expect(state).toMatchObject({ messages: 49, first_seq: 1 });
    expect(await pending.has('w1', 't1')).toBe(false);
    await report('t1');
    expect(await pending.has('w1', 't1')).toBe(true);
  });
});
