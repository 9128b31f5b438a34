import { randomBytes } from 'node:crypto';
import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { streams, type StreamDefinition } from '@gantry/contracts/messaging/streams';
import { connectNats } from '@gantry/jetstream/connect';
import { jetStreamOf } from '@gantry/jetstream/publisher';
import { ensureStream, manager } from '@gantry/jetstream/stream-admin';
import { type NatsServerFixture, startNatsServer } from '@gantry/jetstream/testing/nats-server.fixture';
import { temporaryFolder } from '@gantry/jetstream/testing/temporary-folder';
import { AckPolicy, type JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { restoreSystem } from './backup-system.js';
import { SnapshotVerifier } from './snapshot-verifier.js';
import { writeBackup } from './write-backup.js';

const busy: StreamDefinition = { ...streams.tasks, name: 'BUSY', subjects: ['busy.>'] };
const silent = { onProgress: () => undefined };
const MESSAGE_BYTES = 512 * 1024;

describe('a backup of streams that change while it is made', () => {
  let root: string;
  let source: NatsServerFixture;
  let nc: NatsConnection;

  beforeEach(async () => {
    root = temporaryFolder('gantry-backup');
    source = await startNatsServer();
    nc = await connectNats({ url: source.url, name: 'test' });
  });

  afterEach(async () => {
    await nc.close();
    await source.stop();
    rmSync(root, { recursive: true, force: true });
  });

  const stateOf = async (connection: NatsConnection, stream: string) =>
    (await (await manager(connection)).streams.info(stream)).state;

  const snapshotBegun = async () => {
    const file = join(root, 'backup.partial', 'stream-BUSY.snapshot');
    while (!existsSync(file) || statSync(file).size === 0) await pause(1);
  };

  const restoredState = async (stream: string) => {
    const data = join(root, 'restored');
    await restoreSystem({ data }, join(root, 'backup'), { replace: true, ...silent });
    const server = await startNatsServer({ storeDir: join(data, 'nats', 'jetstream') });
    const restored = await connectNats({ url: server.url, name: 'restored' });
    try {
      return await stateOf(restored, stream);
    } finally {
      await restored.close();
      await server.stop();
    }
  };

  it.each([true, false])(
    'comes back though more was written while a snapshot was taken (verified: %s)',
    async (verify) => {
      await ensureStream(nc, busy);
      let go = true;
      const js = jetStreamOf(nc);
      const writing = (async () => {
        for (let n = 0; go; n += 1) await js.publish(`busy.${n % 7}`, String(n));
      })();
      await pause(200);
      const before = await stateOf(nc, 'BUSY');
      await writeBackup(join(root, 'backup'), { ...silent, nc, exportTables: null, verify });
      go = false;
      await writing;
      const after = await stateOf(nc, 'BUSY');
      const { messages, last_seq } = await restoredState('BUSY');
      expect(last_seq).toBeGreaterThanOrEqual(before.last_seq);
      expect(last_seq).toBeLessThanOrEqual(after.last_seq);
      expect(messages).toBe(last_seq);
    },
  );

  it('comes back when what it holds is too old to stay', async () => {
    await ensureStream(nc, { ...busy, maxAgeMs: 2_000, duplicateWindowMs: 1_000 });
    for (let n = 0; n < 10; n += 1) await jetStreamOf(nc).publish(`busy.${n}`, String(n));
    await writeBackup(join(root, 'backup'), { ...silent, nc, exportTables: null, verify: true });
    await pause(2_500);
    expect(await restoredState('BUSY')).toMatchObject({ messages: 0, last_seq: 10 });
  });

  it('is whole though old messages are removed, with their files, while a snapshot is taken', async () => {
    await ensureStream(nc, busy);
    for (let n = 0; n < 200; n += 1) await jetStreamOf(nc).publish('busy.1', randomBytes(MESSAGE_BYTES));
    const progress: string[] = [];
    const backUp = async (verify: boolean) => {
      const removing = (async () => {
        await snapshotBegun();
        await (await manager(nc)).streams.purge('BUSY', { seq: verify ? 371 : 191 });
      })();
      await writeBackup(join(root, 'backup'), { nc, exportTables: null, verify, onProgress: (l) => progress.push(l) });
      await removing;
    };
    await backUp(false);
    await expect(restoredState('BUSY')).rejects.toMatchObject({ code: 'BACKUP.RESTORE_INCOMPLETE' });
    rmSync(join(root, 'backup'), { recursive: true });

    for (let n = 0; n < 180; n += 1) await jetStreamOf(nc).publish('busy.1', randomBytes(MESSAGE_BYTES));
    await backUp(true);
    expect(progress.filter((line) => line.includes('reading it again'))).toHaveLength(1);
    const { messages, last_seq } = await restoredState('BUSY');
    expect(last_seq).toBe(380);
    expect(messages).toBe(10);
  });

  it('leaves nothing in a work queue that was acknowledged while its snapshot was taken', async () => {
    await ensureStream(nc, { ...busy, retention: 'workqueue' });
    for (let n = 0; n < 200; n += 1) await jetStreamOf(nc).publish('busy.1', randomBytes(MESSAGE_BYTES));
    const jsm = await manager(nc);
    await jsm.consumers.add('BUSY', { durable_name: 'only', ack_policy: AckPolicy.Explicit });
    const consumer = await jetStreamOf(nc).consumers.get('BUSY', 'only');
    const taken: JsMsg[] = [];
    for await (const message of await consumer.fetch({ max_messages: 20, expires: 2_000 })) taken.push(message);
    let left = 0;
    const acknowledging = (async () => {
      await snapshotBegun();
      for (const message of taken.slice(0, 19)) await message.ackAck();
      left = (await stateOf(nc, 'BUSY')).messages;
    })();
    await writeBackup(join(root, 'backup'), { ...silent, nc, exportTables: null, verify: true });
    await acknowledging;
    // Otherwise it was too late to be seen.
    expect(left).toBe(200);
    expect(await stateOf(nc, 'BUSY')).toMatchObject({ messages: 181, first_seq: 20 });
  });

  it('is not verified by a broker that may not understand what a newer one wrote', async () => {
    await expect(SnapshotVerifier.start(join(root, 'verified'), '99.0.0')).rejects.toMatchObject({
      code: 'BACKUP.BROKER_TOO_OLD',
    });
  });
});
