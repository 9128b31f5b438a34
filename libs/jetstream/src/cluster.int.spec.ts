import { streams } from '@gantry/contracts/messaging/streams';
import { type CounterEvent, counterCommit } from '@gantry/event-sourcing/testing/commit-builder';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectNats } from './connect.js';
import { JetStreamEventStore } from './jetstream-event-store.js';
import { openBucket } from './kv-lease.js';
import { ensureStream, manager, setReplicas } from './stream-admin.js';
import { eventually } from './testing/eventually.js';
import { type NatsClusterFixture, startNatsCluster } from './testing/nats-cluster.fixture.js';
import { startNatsServer } from './testing/nats-server.fixture.js';

describe('a cluster of three brokers', () => {
  let cluster: NatsClusterFixture;
  let nc: NatsConnection;

  beforeAll(async () => {
    cluster = await startNatsCluster();
    nc = await connectNats({ url: cluster.url, name: 'writer' });
    setReplicas(nc, 3);
    // A cluster has to elect a leader before it can make a stream.
    await eventually(() => ensureStream(nc, streams.tasks), { timeoutMs: 30_000, intervalMs: 200 });
  }, 60_000);

  afterAll(async () => {
    await nc?.close();
    await cluster?.stop();
  });

  it('keeps every stream and bucket three times', async () => {
    await openBucket(nc, 'tasks');
    const jsm = await manager(nc);
    for (const name of ['TASKS', 'KV_tasks']) expect((await jsm.streams.info(name)).config.num_replicas).toBe(3);
  });

  it('goes on when one broker is killed, and no acknowledged commit is lost', async () => {
    const store = new JetStreamEventStore<CounterEvent>(nc, streams.tasks);
    const acknowledged = new Map<string, number>();
    const total = 600;
    const appending = (async () => {
      for (let n = 0; n < total; n += 10) {
        await Promise.all(
          Array.from({ length: 10 }, async (_, k) => {
            const subject = `tasks.0.${n + k}`;
            const { streamSequence } = await store.append(subject, counterCommit(String(n + k), 1), 0);
            acknowledged.set(subject, streamSequence);
          }),
        );
      }
    })();
    await eventually(() => expect(acknowledged.size).toBeGreaterThan(total / 4), { timeoutMs: 30_000 });
    const leader = (await (await manager(nc)).streams.info('TASKS')).cluster?.leader;
    const victim = cluster.servers[Number(leader?.slice(1) ?? 0)];
    if (victim === undefined) throw new Error('no leader');
    process.kill(victim.pid, 'SIGKILL');
    await appending;
    expect(acknowledged.size).toBe(total);
    await victim.restart();

    // Every copy must have all of it: ask while another broker is away.
    const other = cluster.servers.find((server) => server !== victim);
    await eventually(
      async () => {
        const info = await (await manager(nc)).streams.info('TASKS');
        expect(info.cluster?.replicas?.every(({ current }) => current)).toBe(true);
      },
      { timeoutMs: 30_000, intervalMs: 200 },
    );
    process.kill(other?.pid ?? 0, 'SIGKILL');
    // If it led, the other two elect first: until then the store says "try again".
    await eventually(() => store.load('tasks.0.0'), { timeoutMs: 30_000, intervalMs: 200 });
    for (const [subject, sequence] of acknowledged) {
      expect(await store.load(subject)).toMatchObject([{ streamSequence: sequence, commit: { version: 1 } }]);
    }
    await other?.restart();
  }, 120_000);
});

it('says how many brokers are missing', async () => {
  const alone = await startNatsServer();
  const nc = await connectNats({ url: alone.url, name: 'writer' });
  try {
    setReplicas(nc, 3);
    await expect(ensureStream(nc, streams.tasks)).rejects.toMatchObject({
      code: 'STREAM.TOO_FEW_BROKERS',
      message: expect.stringContaining('GANTRY_STREAM_REPLICAS'),
    });
  } finally {
    await nc.close();
    await alone.stop();
  }
});
