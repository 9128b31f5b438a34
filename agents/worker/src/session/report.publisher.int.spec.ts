import { type Report, type ReportBody, reportSchema } from '@gantry/contracts/agents/report';
import { streams } from '@gantry/contracts/messaging/streams';
import { connectNats } from '@gantry/jetstream/connect';
import { ensureStream, manager } from '@gantry/jetstream/stream-admin';
import { ManualClock } from '@gantry/kernel/clock';
import { createLogger } from '@gantry/nest-platform/logger';
import { type NatsServerFixture, startNatsServer } from '@gantry/testing/nats-server.fixture';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ReportPublisher } from './report.publisher.js';

const started: ReportBody = { type: 'started', startedAt: 2, containerId: 'c' };
const exited: ReportBody = { type: 'exited', outcome: 'exited', exitCode: 0, message: '', finishedAt: 3 };

describe('reports', () => {
  let nats: NatsServerFixture;
  let nc: NatsConnection;
  let publisher: ReportPublisher;
  let clock: ManualClock;
  let task = 0;
  const { signal } = new AbortController();

  beforeAll(async () => {
    nats = await startNatsServer();
    nc = await connectNats({ url: nats.url, name: 'test' });
    await ensureStream(nc, streams.reports);
  });
  afterAll(async () => {
    await nc.close();
    await nats.stop();
  });
  beforeEach(() => {
    task += 1;
    clock = new ManualClock(1_000);
    publisher = new ReportPublisher(nc, 'w', clock, createLogger('test', { level: 'silent', format: 'json' }));
  });

  const send = (body: ReportBody, name: string = body.type): Promise<void> =>
    publisher.send({ taskId: `t${task}`, attempt: 1 }, body, name, signal);

  async function stored(): Promise<Report[]> {
    const jsm = await manager(nc);
    const found: Report[] = [];
    const { state } = await jsm.streams.info(streams.reports.name);
    for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
      const message = await jsm.streams.getMessage(streams.reports.name, { seq });
      if (message?.subject === `report.w.t${task}`) found.push(reportSchema.parse(message.json()));
    }
    return found;
  }

  it('of a task that ends at once are one message, and all are told when it is stored', async () => {
    const first = send({ type: 'accepted' });
    clock.advance(1);
    const second = send(started);
    clock.advance(1);
    await send(exited);
    await Promise.all([first, second]);
    expect(await stored()).toEqual([
      {
        id: `t${task}:1:exited`,
        workerId: 'w',
        taskId: `t${task}`,
        attempt: 1,
        at: 1_002,
        report: exited,
        earlier: [
          { at: 1_000, report: { type: 'accepted' } },
          { at: 1_001, report: started },
        ],
      },
    ]);
  });

  it('of a start are not held back for long', async () => {
    await Promise.all([send({ type: 'accepted' }), send(started)]);
    expect(await stored()).toMatchObject([{ id: `t${task}:1:started`, earlier: [{ report: { type: 'accepted' } }] }]);
    await send(exited);
    expect(await stored()).toHaveLength(2);
    expect((await stored())[1]?.earlier).toBeUndefined();
  });

  it('of progress go at once, after what came before them', async () => {
    const accepted = send({ type: 'accepted' });
    await send({ type: 'pulling', percent: 1 });
    await accepted;
    expect((await stored()).map(({ report }) => report.type)).toEqual(['accepted', 'pulling']);
  });
});
