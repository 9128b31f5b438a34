import { servicePermissions, workerPermissions } from '@gantry/contracts/messaging/permissions';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { type CounterEvent, counterCommit } from '@gantry/event-sourcing/testing/commit-builder';
import { systemClock } from '@gantry/kernel/clock';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectNats } from './connect.js';
import { followStream } from './follow-stream.js';
import { JetStreamEventStore } from './jetstream-event-store.js';
import { KvLease } from './kv-lease.js';
import { publishJson } from './publisher.js';
import { KvSnapshotStore } from './snapshot-store.js';
import { ensureStream, manager } from './stream-admin.js';
import { eventually } from './testing/eventually.js';
import { type NatsServerFixture, startNatsServer } from './testing/nats-server.fixture.js';

const user = (
  name: string,
  { publish, subscribe }: { publish: readonly string[]; subscribe: readonly string[] },
): string =>
  JSON.stringify({
    user: name,
    password: name,
    permissions: { publish: { allow: publish }, subscribe: { allow: subscribe } },
  });

describe('what each broker user can do with this library', () => {
  let server: NatsServerFixture;
  const connections: NatsConnection[] = [];

  const as = async (name: string): Promise<NatsConnection> => {
    const nc = await connectNats({ url: server.url, user: name, password: name, name });
    connections.push(nc);
    return nc;
  };

  beforeAll(async () => {
    const users = [
      ...Object.entries(servicePermissions).map(([name, permissions]) => user(name, permissions)),
      user('w-1', workerPermissions('w-1')),
    ];
    server = await startNatsServer({ config: `authorization { users: [${users.join(', ')}] }` });
  });

  afterAll(async () => {
    await Promise.all(connections.map((nc) => nc.close()));
    await server.stop();
  });

  it('a service makes its streams, appends, leads and keeps snapshots', async () => {
    const nc = await as('scheduler');
    await ensureStream(nc, streams.assign);
    await ensureStream(nc, streams.fleet);
    const store = new JetStreamEventStore<CounterEvent>(nc, streams.assign);
    const { streamSequence } = await store.append(subjects.assign('w-1'), counterCommit('w-1', 1), 0);
    expect(await store.load(subjects.assign('w-1'))).toMatchObject([{ streamSequence }]);
    const lease = new KvLease(nc, {
      bucket: 'scheduler',
      key: 'leader',
      holder: 'a',
      ttlMs: 5_000,
      clock: systemClock,
    });
    expect(await lease.acquire()).toBe(true);
    const snapshots = new KvSnapshotStore(nc, 'scheduler');
    const entry = { key: 'x', numbers: [], shared: [], texts: [] };
    await snapshots.save('queue', 1, { positions: {}, entries: [entry] });
    expect(await snapshots.save('queue', 1, { positions: {}, entries: [entry] })).toMatchObject({ entries: 1 });
    expect((await snapshots.load('queue', 1))?.positions).toEqual({});
    await snapshots.forget('queue');
    expect(await snapshots.load('queue', 1)).toBeUndefined();
  });

  it('the tasks service archives: it appends to ARCHIVE and takes out of TASKS, and nobody takes anything out of ARCHIVE', async () => {
    const nc = await as('tasks');
    for (const stream of [streams.tasks, streams.archive]) await ensureStream(nc, stream);
    await publishJson(nc, subjects.archivedTasks, {}, { timeoutMs: 5_000 });
    const store = new JetStreamEventStore<CounterEvent>(nc, streams.tasks);
    for (const id of ['a', 'b', 'c']) await store.append(subjects.task(id), counterCommit(id, 1), 0);
    const jsm = await manager(nc);
    await jsm.streams.deleteMessage(streams.tasks.name, 2);
    await jsm.streams.purge(streams.tasks.name, { seq: 2 });
    expect((await jsm.streams.info(streams.tasks.name)).state).toMatchObject({ messages: 1, first_seq: 3 });
    await expect(jsm.streams.deleteMessage(streams.archive.name, 1)).rejects.toThrow();
    await expect(jsm.streams.purge(streams.archive.name)).rejects.toThrow();
    for (const name of ['telemetry', 'gateway', 'scheduler', 'auth', 'w-1']) {
      const stranger = await as(name);
      await expect(publishJson(stranger, subjects.archivedTasks, {}, { timeoutMs: 5_000 })).rejects.toThrow();
      const refused = (await manager(stranger)).streams;
      await expect(refused.deleteMessage(streams.tasks.name, 3)).rejects.toThrow();
      await expect(refused.deleteMessage(streams.archive.name, 1)).rejects.toThrow();
    }
    expect((await jsm.streams.info(streams.archive.name)).state.messages).toBe(1);
  });

  it('an agent follows its assignments and renews its lease by heartbeats', async () => {
    const nc = await as('w-1');
    const stop = new AbortController();
    const seen: unknown[] = [];
    const following = followStream(nc, streams.assign.name, {
      fromSequence: 1,
      filter: subjects.assign('w-1'),
      onMessage: (message) => void seen.push(message.json()),
      signal: stop.signal,
    });
    await eventually(() => expect(seen).toMatchObject([{ aggregateId: 'w-1', version: 1 }]));
    stop.abort();
    await following;
    expect(await publishJson(nc, subjects.fleet('w-1'), { workerId: 'w-1' }, { timeoutMs: 5_000 })).toMatchObject({
      duplicate: false,
    });
  });

  it('is refused at once, not after a time-out, where it may not write', async () => {
    const nc = await as('w-1');
    const begun = performance.now();
    await expect(publishJson(nc, subjects.fleet('w-2'), {}, { timeoutMs: 20_000 })).rejects.toThrow();
    await expect(publishJson(nc, subjects.assign('w-1'), {}, { timeoutMs: 20_000 })).rejects.toThrow();
    expect(performance.now() - begun).toBeLessThan(10_000);
    const info = await (await manager(await as('telemetry'))).streams.info(streams.assign.name);
    expect(info.state.messages).toBe(1);
  });
});

describe('what a broker user can break', () => {
  it('is its own streams only', async () => {
    const user = (name: string): string =>
      JSON.stringify({
        user: name,
        password: name,
        permissions: {
          publish: { allow: servicePermissions.telemetry.publish },
          subscribe: { allow: servicePermissions.telemetry.subscribe },
        },
      });
    const server = await startNatsServer({
      config: `authorization { users: [${user('telemetry')}, { user: root, password: root }] }`,
    });
    const root = await connectNats({ url: server.url, user: 'root', password: 'root', name: 'root' });
    const nc = await connectNats({ url: server.url, user: 'telemetry', password: 'telemetry', name: 'telemetry' });
    try {
      await ensureStream(root, streams.tasks);
      await publishJson(root, 'tasks.0.1', {});
      const jsm = await manager(nc);
      await expect(jsm.streams.purge(streams.tasks.name)).rejects.toThrow();
      await expect(jsm.streams.delete(streams.tasks.name)).rejects.toThrow();
      await expect(jsm.streams.deleteMessage(streams.tasks.name, 1)).rejects.toThrow();
      await expect(jsm.streams.update(streams.tasks.name, { max_msgs: 1 })).rejects.toThrow();
      expect((await (await manager(root)).streams.info(streams.tasks.name)).state.messages).toBe(1);
      await ensureStream(nc, streams.logs);
      await expect(jsm.streams.delete(streams.logs.name)).rejects.toThrow();
      await jsm.streams.purge(streams.logs.name);
    } finally {
      await nc.close();
      await root.close();
      await server.stop();
    }
  }, 60_000);
});

describe('what a broker refuses for good', () => {
  it('comes as an error that says what to do', async () => {
    const server = await startNatsServer();
    const nc = await connectNats({ url: server.url, name: 'writer' });
    try {
      const definition = { ...streams.tasks, maxBytes: 4_096 };
      await ensureStream(nc, definition);
      const store = new JetStreamEventStore<CounterEvent>(nc, definition);
      const filling = async (): Promise<void> => {
        for (let index = 0; index < 50; index += 1)
          await store.append(`tasks.0.${index}`, counterCommit(String(index), 1), 0);
      };
      await expect(filling()).rejects.toMatchObject({ code: 'STORE.FULL', kind: 'unavailable', retryable: true });
      const huge = counterCommit('huge', 1, { correlationId: 'x'.repeat(2_000_000) });
      await expect(store.append('tasks.0.huge', huge, 0)).rejects.toMatchObject({
        code: 'STORE.COMMIT_TOO_LARGE',
        kind: 'invalid',
      });
    } finally {
      await nc.close();
      await server.stop();
    }
  });
});
