import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GantryError } from '@gantry/kernel/gantry-error';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ClickHouse } from './clickhouse.js';
import { connectClickHouse } from './connect-clickhouse.js';
import { runMigrations } from './run-migrations.js';

// The embedded engine binds one folder per process: all cases share it.
const path = mkdtempSync(join(tmpdir(), 'gantry-clickhouse-'));
let clickhouse: ClickHouse;

const firstMigration = {
  version: 1,
  name: 'things',
  statements: [
    'CREATE TABLE IF NOT EXISTS things (id UInt64, text String, maybe Nullable(Float64), tags Array(String)) ENGINE = MergeTree ORDER BY id',
  ],
};

async function errorOf(work: Promise<unknown>): Promise<GantryError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof GantryError)) throw new Error('expected a GantryError', { cause: error });
  return error;
}

beforeAll(async () => {
  clickhouse = connectClickHouse({ path });
  await runMigrations(clickhouse, [firstMigration]);
});

afterAll(async () => {
  await clickhouse.close();
  // It goes on with background work for a moment after it was closed.
  rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

const countOf = async (table: string) =>
  (await clickhouse.query(`SELECT count() AS n FROM ${table}`, {}, z.object({ n: z.number() })))[0]?.n;

describe('query and insert', () => {
  it('gives back exactly what was inserted, whatever the text holds', async () => {
    const texts = ['plain', `quotes ' " \\ and ; --`, 'line\nbreak\ttab\r', 'é 漢 🚚', '\u001b[31mred\u001b[0m', ''];
    await clickhouse.insert(
      'things',
      ['id', 'text', 'maybe', 'tags'],
      texts.map((text, index) => [index, text, index % 2 === 0 ? null : index / 3, [text, 'x']]),
    );
    const rows = await clickhouse.query(
      'SELECT id, text, maybe, tags FROM things ORDER BY id',
      {},
      z.object({ id: z.number(), text: z.string(), maybe: z.number().nullable(), tags: z.array(z.string()) }),
    );
    expect(rows).toEqual(
      texts.map((text, id) => ({ id, text, maybe: id % 2 === 0 ? null : id / 3, tags: [text, 'x'] })),
    );
  });

  it('keeps a first row whose texts are the names of the columns', async () => {
    await clickhouse.command('CREATE TABLE names (name String, value String) ENGINE = MergeTree ORDER BY name');
    await clickhouse.insert(
      'names',
      ['name', 'value'],
      [
        ['name', 'value'],
        ['second', 'row'],
      ],
    );
    expect(await countOf('names')).toBe(2);
  });

  it('binds parameters by value', async () => {
    const text = `quotes ' " \\ and ; --`;
    const rows = await clickhouse.queryTuples(
      'SELECT id FROM things WHERE text = {text:String} AND has({ids:Array(UInt64)}, id)',
      { text, ids: [1, 2] },
      z.tuple([z.number()]),
    );
    expect(rows).toEqual([[1]]);
  });

  it('answers many calls at once with the right rows', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, value) =>
        clickhouse.queryTuples('SELECT {value:UInt32}', { value }, z.tuple([z.number()])),
      ),
    );
    expect(answers.map((rows) => rows[0]?.[0])).toEqual(Array.from({ length: 100 }, (_, value) => value));
  });

  it('stores bytes as the text that they are, in one or several portions', async () => {
    await clickhouse.command('CREATE TABLE texts (id UInt32, text String) ENGINE = MergeTree ORDER BY id');
    const texts = ['{"a":"it\'s \\n"}', '{"漢":"🚚"}', 'x'.repeat(9_000_000), 'y'.repeat(9_000_000)];
    await clickhouse.insert(
      'texts',
      ['id', 'text'],
      texts.map((text, id) => [id, new Uint8Array(Buffer.from(text))]),
    );
    const rows = await clickhouse.queryTuples('SELECT text FROM texts ORDER BY id', {}, z.tuple([z.string()]));
    expect(rows.map(([text]) => text)).toEqual(texts);
  });

  it('does nothing for no rows', async () => {
    const before = await countOf('things');
    await clickhouse.insert('things', ['id'], []);
    expect(await countOf('things')).toBe(before);
  });

  it('does not wait behind a slow query', async () => {
    let slowDone = false;
    const slow = clickhouse
      .queryTuples(
        'SELECT sum(sipHash64(number)) > 0 FROM numbers(60000000) SETTINGS max_threads = 1',
        {},
        z.tuple([z.number()]),
      )
      .then(() => (slowDone = true));
    await clickhouse.queryTuples('SELECT 1', {}, z.tuple([z.number()]));
    expect(slowDone).toBe(false);
    await slow;
  });
});

describe('errors', () => {
  it('a wrong statement is internal and final', async () => {
    expect(await errorOf(clickhouse.command('SELEC 1'))).toMatchObject({
      code: 'CLICKHOUSE.REJECTED',
      kind: 'internal',
      retryable: false,
    });
  });

  it('data of a wrong type is internal and final', async () => {
    expect(await errorOf(clickhouse.insert('things', ['id'], [['not a number']]))).toMatchObject({
      code: 'CLICKHOUSE.REJECTED',
      retryable: false,
    });
  });

  it('a missing table may appear later', async () => {
    expect(await errorOf(clickhouse.command('SELECT * FROM nowhere'))).toMatchObject({
      code: 'CLICKHOUSE.UNAVAILABLE',
      retryable: true,
    });
  });

  it('rows of another shape are reported as such', async () => {
    expect(await errorOf(clickhouse.query('SELECT 1 AS n', {}, z.object({ n: z.string() })))).toMatchObject({
      code: 'CLICKHOUSE.UNEXPECTED_ROW',
    });
  });

  it('a server that is away is unavailable, not a crash', async () => {
    const remote = connectClickHouse({ url: 'http://127.0.0.1:9', requestTimeoutMs: 2_000 });
    expect(await errorOf(remote.ensureDatabase())).toMatchObject({
      code: 'CLICKHOUSE.UNAVAILABLE',
      kind: 'unavailable',
      retryable: true,
    });
    expect(await errorOf(remote.insert('things', ['id'], [[1]]))).toMatchObject({
      code: 'CLICKHOUSE.UNAVAILABLE',
      retryable: true,
    });
    await remote.close();
  });

  it('refuses a database name that is no identifier', () => {
    expect(() => connectClickHouse({ path, database: 'x; DROP' })).toThrow(/letters/);
  });
});

describe('migrations', () => {
  const second = { version: 2, name: 'more', statements: ['ALTER TABLE things ADD COLUMN IF NOT EXISTS extra UInt8'] };

  it('applies what is new, once, and keeps the data', async () => {
    const before = await countOf('things');
    expect(await runMigrations(clickhouse, [firstMigration, second])).toEqual([2]);
    expect(await runMigrations(clickhouse, [firstMigration, second])).toEqual([]);
    expect(await countOf('things')).toBe(before);
  });

  it('two replicas may start at the same time', async () => {
    const third = {
      version: 3,
      name: 'others',
      statements: ['CREATE TABLE IF NOT EXISTS others (id UInt64) ENGINE = MergeTree ORDER BY id'],
    };
    const all = [firstMigration, second, third];
    await Promise.all([runMigrations(clickhouse, all), runMigrations(clickhouse, all)]);
    expect(await runMigrations(clickhouse, all)).toEqual([]);
    expect(await countOf('schema_migrations FINAL')).toBe(3);
  });

  it('an older replica leaves newer versions alone', async () => {
    expect(await runMigrations(clickhouse, [firstMigration])).toEqual([]);
  });

  it('refuses a released migration that changed, but not its formatting', async () => {
    const reformatted = {
      ...firstMigration,
      statements: firstMigration.statements.map((statement) => statement.replaceAll(' ', '\n  ')),
    };
    expect(await runMigrations(clickhouse, [reformatted])).toEqual([]);
    const changed = {
      ...firstMigration,
      statements: ['CREATE TABLE IF NOT EXISTS things (id UInt8) ENGINE = MergeTree ORDER BY id'],
    };
    expect(await errorOf(runMigrations(clickhouse, [changed]))).toMatchObject({ code: 'CLICKHOUSE.MIGRATION_CHANGED' });
  });

  it('refuses a gap in the numbers', async () => {
    expect(await errorOf(runMigrations(clickhouse, [second]))).toMatchObject({ code: 'CLICKHOUSE.MIGRATION_ORDER' });
  });
});

describe('closing', () => {
  it('waits for a statement that is still running and then for its connection', async () => {
    const statement = clickhouse.query('SELECT sleep(1) AS n', {}, z.object({ n: z.number() }));
    await clickhouse.close();
    // The engine refuses a second folder while anything of the first is open.
    const folder = mkdtempSync(join(tmpdir(), 'gantry-clickhouse-other-'));
    const other = connectClickHouse({ path: folder });
    await other.ensureDatabase();
    await other.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    expect(await statement).toEqual([{ n: 0 }]);
    clickhouse = connectClickHouse({ path });
    await clickhouse.ensureDatabase();
  });

  it('is not needed for a process to end at once, whatever it runs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gantry-clickhouse-exit-'));
    const program = `
      import { connectClickHouse } from ${JSON.stringify(new URL('../dist/connect-clickhouse.js', import.meta.url).href)};
      const clickhouse = connectClickHouse({ path: ${JSON.stringify(folder)} });
      await clickhouse.ensureDatabase();
      for (let n = 0; n < 3; n += 1) void clickhouse.command('SELECT sleep(3)').catch(() => undefined);
      setTimeout(() => process.exit(1), 50);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'ignore' });
    const [code, signal] = await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
    expect([code, signal]).toEqual([null, 'SIGKILL']);
  });
});

describe('reopening', () => {
  it('finds the data again', async () => {
    const before = await countOf('things');
    await clickhouse.close();
    clickhouse = connectClickHouse({ path });
    await clickhouse.ensureDatabase();
    expect(await countOf('things')).toBe(before);
  });
});
