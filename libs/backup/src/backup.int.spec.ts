import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectClickHouse } from '@gantry/clickhouse/connect-clickhouse';
import { streams, type StreamDefinition, subjects } from '@gantry/contracts/messaging/streams';
import { connectNats } from '@gantry/jetstream/connect';
import { openBucket } from '@gantry/jetstream/kv-lease';
import { jetStreamOf, publishJson } from '@gantry/jetstream/publisher';
import { ensureStream, manager } from '@gantry/jetstream/stream-admin';
import { type NatsServerFixture, startNatsServer } from '@gantry/jetstream/testing/nats-server.fixture';
import { temporaryFolder } from '@gantry/jetstream/testing/temporary-folder';
import { AckPolicy } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { inBackupOrder } from './backup-order.js';
import { restoreSystem } from './backup-system.js';
import { readVerifiedBackup } from './manifest.js';
import { writeBackup } from './write-backup.js';

const TOTAL = 3_000;
const work: StreamDefinition = { ...streams.reports, name: 'WORK', subjects: ['work.>'] };
const silent = { onProgress: () => undefined };

/** Everything of a stream, by sequence, and where its consumer stands. */
async function contentOf(nc: NatsConnection, stream: string) {
  const jsm = await manager(nc);
  const { state } = await jsm.streams.info(stream, { deleted_details: true });
  const messages: [number, string, string, number][] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
    const stored = await jsm.streams.getMessage(stream, { seq });
    if (stored !== null) messages.push([stored.seq, stored.subject, stored.string(), stored.time.getTime()]);
  }
  return { first: state.first_seq, last: state.last_seq, messages };
}

describe('backup and restore', () => {
  let root: string;
  let backup: string;
  let source: NatsServerFixture;
  let nc: NatsConnection;

  beforeAll(async () => {
    root = temporaryFolder('gantry-backup');
    backup = join(root, 'backup');
    source = await startNatsServer();
    nc = await connectNats({ url: source.url, name: 'test' });
    for (const stream of [streams.tasks, work, streams.fleet]) await ensureStream(nc, stream);
    for (let n = 0; n < TOTAL; n += 500) {
      await Promise.all(
        Array.from({ length: 500 }, (_, k) => publishJson(nc, subjects.task(String((n + k) % 50)), { n: n + k })),
      );
    }
    const jsm = await manager(nc);
    for (const seq of [1, 2, 7, TOTAL - 1]) await jsm.streams.deleteMessage('TASKS', seq);
    await jsm.consumers.add('TASKS', { durable_name: 'reader', ack_policy: AckPolicy.Explicit });
    const reader = await jetStreamOf(nc).consumers.get('TASKS', 'reader');
    const taken = await reader.fetch({ max_messages: 100, expires: 2_000 });
    for await (const message of taken) await message.ackAck();
    for (let n = 0; n < 20; n += 1) await publishJson(nc, `work.${n}`, { n });
    for (const seq of [1, 2, 3]) await jsm.streams.deleteMessage('WORK', seq);
    await (await openBucket(nc, 'tasks')).put('snapshot.board.head', 'state');

    const clickhouse = connectClickHouse({ path: join(root, 'source-clickhouse') });
    await clickhouse.ensureDatabase();
    await clickhouse.command('CREATE TABLE logs (seq UInt64, text String) ENGINE = ReplacingMergeTree ORDER BY seq');
    await clickhouse.insert(
      'logs',
      ['seq', 'text'],
      Array.from({ length: 10_000 }, (_, seq) => [seq, `line ${seq} äöü`]),
    );
    await writeBackup(backup, {
      ...silent,
      nc,
      verify: true,
      exportTables: async (folder) => {
        const tables = await clickhouse.tables();
        const exported = tables.map((table) => ({ ...table, path: join(folder, `${table.name}.part`) }));
        for (const { name, path } of exported) await clickhouse.exportTable(name, path);
        return { database: clickhouse.database, tables: exported };
      },
    });
    await clickhouse.close();
  });

  afterAll(async () => {
    await nc.close();
    await source.stop();
    rmSync(root, { recursive: true, force: true });
  });

  /** A broker on the restored store. */
  const withRestored = async (data: string, use: (restored: NatsConnection) => Promise<void>): Promise<void> => {
    const server = await startNatsServer({ storeDir: join(data, 'nats', 'jetstream') });
    const restored = await connectNats({ url: server.url, name: 'restored' });
    try {
      await use(restored);
    } finally {
      await restored.close();
      await server.stop();
    }
  };

  it('brings every message back under its sequence, every consumer where it stood, and every row', async () => {
    const data = join(root, 'restored');
    await restoreSystem({ data }, backup, { replace: false, ...silent });
    await withRestored(data, async (restored) => {
      for (const stream of ['TASKS', 'WORK', 'KV_tasks'])
        expect(await contentOf(restored, stream)).toEqual(await contentOf(nc, stream));
      const jsm = await manager(restored);
      expect((await jsm.consumers.info('TASKS', 'reader')).ack_floor).toEqual({ consumer_seq: 100, stream_seq: 103 });
      const reader = await jetStreamOf(restored).consumers.get('TASKS', 'reader');
      expect((await reader.next({ expires: 5_000 }))?.seq).toBe(100 + 3 + 1);
      // The next append gets the next sequence, and the fence still knows the last one of each subject.
      expect(await publishJson(restored, subjects.task('1'), {})).toMatchObject({ sequence: TOTAL + 1 });
      expect((await (await openBucket(restored, 'tasks')).get('snapshot.board.head'))?.string()).toBe('state');
    });
    const clickhouse = connectClickHouse({ path: join(data, 'clickhouse') });
    await clickhouse.ensureDatabase();
    const row = z.object({ count: z.number(), sum: z.number(), last: z.string() });
    expect(
      await clickhouse.query('SELECT count() AS count, sum(seq) AS sum, argMax(text, seq) AS last FROM logs', {}, row),
    ).toEqual([{ count: 10_000, sum: 49_995_000, last: 'line 9999 äöü' }]);
    await clickhouse.close();

    await expect(restoreSystem({ data }, backup, { replace: false, ...silent })).rejects.toMatchObject({
      code: 'BACKUP.TARGET_NOT_EMPTY',
    });
    await restoreSystem({ data }, backup, { replace: true, ...silent });
    await withRestored(data, async (restored) => {
      expect(await contentOf(restored, 'TASKS')).toEqual(await contentOf(nc, 'TASKS'));
    });
  });

  it('refuses a damaged backup before it touches anything', async () => {
    const file = readdirSync(backup).find((name) => name.includes('TASKS')) ?? '';
    const whole = readFileSync(join(backup, file));
    const data = join(root, 'untouched');
    const attempts: [string, () => void, string][] = [
      ['one byte differs', () => writeFileSync(join(backup, file), flipped(whole)), 'BACKUP.DAMAGED'],
      ['cut short', () => writeFileSync(join(backup, file), whole.subarray(0, -1)), 'BACKUP.DAMAGED'],
      ['a file is gone', () => rmSync(join(backup, file)), 'BACKUP.DAMAGED'],
      ['the manifest was edited', () => appendFileSync(join(backup, 'manifest.json'), ' '), 'BACKUP.DAMAGED'],
      ['the manifest is gone', () => rmSync(join(backup, 'manifest.json')), 'BACKUP.NOT_FOUND'],
    ];
    for (const [what, damage, code] of attempts) {
      damage();
      await expect(restoreSystem({ data }, backup, { replace: true, ...silent }), what).rejects.toMatchObject({ code });
      if (existsSync(join(backup, 'manifest.json'))) writeFileSync(join(backup, file), whole);
    }
    expect(existsSync(data)).toBe(false);
    await expect(readVerifiedBackup(backup)).rejects.toMatchObject({ code: 'BACKUP.NOT_FOUND' });
  });

  it('never writes over another backup', async () => {
    await expect(writeBackup(backup, { ...silent, nc, exportTables: null, verify: true })).rejects.toMatchObject({
      code: 'BACKUP.FOLDER_EXISTS',
    });
  });
});

it('reads causes before effects, and buckets first', () => {
  expect(
    inBackupOrder(['ARCHIVE', 'AUTH', 'TASKS', 'ARTIFACTS', 'KV_tasks', 'ASSIGN', 'REPORTS', 'LOGS', 'KV_auth']),
  ).toEqual(['KV_auth', 'KV_tasks', 'REPORTS', 'ASSIGN', 'LOGS', 'TASKS', 'ARCHIVE', 'ARTIFACTS', 'AUTH']);
});

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const middle = Math.floor(copy.length / 2);
  copy[middle] = (copy[middle] ?? 0) ^ 1;
  return copy;
}
