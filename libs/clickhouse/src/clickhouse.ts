import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { z } from 'zod';
import { toClickHouseError } from './clickhouse-error.js';
import { type ColumnValue, TabSeparatedRows } from './tab-separated-rows.js';

/** Values for `{name:Type}` placeholders: bound by the engine, never spliced into the statement. */
export type QueryParameters = Record<string, unknown>;

/** The way past the client that the embedded engine offers: bytes go to it as they are, without becoming a string. */
interface RawInserts {
  rawInsert(rows: {
    table: string;
    columns: readonly string[];
    values: Buffer;
    format: 'TabSeparated';
    settings: Readonly<Record<string, number>>;
  }): Promise<unknown>;
}

export interface ClickHouseConnection {
  readonly client: ClickHouseClient;
  readonly raw?: RawInserts;
}

interface Parts {
  connections: readonly ClickHouseConnection[];
  database: string;
  embedded: boolean;
  /** A client that does not need the database to exist. */
  bootstrap?: () => ClickHouseClient;
  /** Resolves when nothing is running in the embedded engine. */
  drained?: () => Promise<void>;
}

/** Keeps one statement well under the memory of a small machine. */
const INSERT_BYTES = 16 * 1024 * 1024;

const insertSettings = {
  // A first row whose texts happen to be the names of columns would be taken for a header and dropped.
  input_format_tsv_detect_header: 0,
  // Resolving means stored: never leave rows in a queue of the engine, which newer versions do unless told.
  async_insert: 0,
} as const;

/** With less to store more threads are no faster. */
const ALL_CORES_BYTES = 1024 * 1024;
const oneThread = { max_threads: 1, max_insert_threads: 1, input_format_parallel_parsing: 0 } as const;

export interface InsertOptions {
  /**
   * Prepare statements of more than 1 MiB on every core: stored sooner, for a tenth more CPU and at the cost of all that runs beside it.
   * For tables whose rows come faster than one core can prepare them.
   */
  readonly allCores?: boolean;
}

/**
 * Typed access to one database. Everything that fails throws a `GantryError`: `unavailable` and retryable when the engine is
 * away or short of resources, `internal` when the statement or its data is wrong.
 *
 * Statements carry their settings in a `SETTINGS` clause, never as call options: the embedded engine would keep them for the
 * next statement on the same connection.
 */
export class ClickHouse {
  readonly database: string;
  readonly embedded: boolean;
  private readonly connections: (ClickHouseConnection & { busy: number })[];
  private readonly bootstrap: (() => ClickHouseClient) | undefined;
  private readonly drained: (() => Promise<void>) | undefined;

  constructor({ connections, database, embedded, bootstrap, drained }: Parts) {
    this.connections = connections.map((connection) => ({ ...connection, busy: 0 }));
    this.database = database;
    this.embedded = embedded;
    this.bootstrap = bootstrap;
    this.drained = drained;
  }

  /** Creates the database if needed and makes it the default of every connection. */
  async ensureDatabase(): Promise<void> {
    const create = `CREATE DATABASE IF NOT EXISTS ${this.database}`;
    if (this.bootstrap !== undefined) {
      const client = this.bootstrap();
      await guarded(() => client.command({ query: create })).finally(() => client.close());
      return;
    }
    for (const { client } of this.connections) {
      await guarded(() => client.command({ query: create }));
      await guarded(() => client.command({ query: `USE ${this.database}` }));
    }
  }

  /** Rows as objects, each checked with `row`. */
  query<Row extends z.ZodType>(sql: string, parameters: QueryParameters, row: Row): Promise<z.output<Row>[]> {
    return this.read(sql, parameters, row, 'JSONEachRow');
  }

  /** Rows as arrays in column order: cheaper for many small rows. */
  queryTuples<Row extends z.ZodType>(sql: string, parameters: QueryParameters, row: Row): Promise<z.output<Row>[]> {
    return this.read(sql, parameters, row, 'JSONCompactEachRow');
  }

  private read<Row extends z.ZodType>(
    sql: string,
    parameters: QueryParameters,
    row: Row,
    format: 'JSONEachRow' | 'JSONCompactEachRow',
  ): Promise<z.output<Row>[]> {
    return this.withConnection(async ({ client }) => {
      const result = await client.query({ query: sql, query_params: parameters, format });
      const text = await result.text();
      const rows: z.output<Row>[] = [];
      for (const line of text.split('\n')) if (line !== '') rows.push(row.parse(JSON.parse(line)));
      return rows;
    });
  }

  /**
   * Inserts rows in column order. Resolves once the engine has stored them; a large call is sent as several statements, so
   * after an error some of the rows may be there: insert into tables where a repeated row changes nothing.
   */
  async insert(
    table: string,
    columns: readonly [string, ...string[]],
    rows: Iterable<readonly ColumnValue[]>,
    { allCores = false }: InsertOptions = {},
  ): Promise<void> {
    const encoded = new TabSeparatedRows();
    for (const row of rows) {
      // Encoded here in one go: the client's own row-by-row encoder costs about 40 % of the insert rate.
      encoded.add(row);
      if (encoded.size >= INSERT_BYTES) await this.insertBytes(table, columns, encoded.take(), allCores);
    }
    if (!encoded.isEmpty) await this.insertBytes(table, columns, encoded.take(), allCores);
  }

  private insertBytes(
    table: string,
    columns: readonly [string, ...string[]],
    values: Buffer,
    allCores: boolean,
  ): Promise<void> {
    const statement =
      allCores && values.length > ALL_CORES_BYTES ? insertSettings : { ...insertSettings, ...oneThread };
    return this.withConnection(async ({ client, raw }) => {
      if (raw !== undefined) {
        await raw.rawInsert({ table, columns, values, format: 'TabSeparated', settings: statement });
        return;
      }
      const settings = Object.entries(statement).map(([name, value]) => `${name} = ${value}`);
      const { stream } = await client.exec({
        query: `INSERT INTO ${table} (${columns.join(', ')}) SETTINGS ${settings.join(', ')} FORMAT TabSeparated`,
        values: Readable.from([values], { objectMode: false }),
      });
      stream.resume();
      await finished(stream);
    });
  }

  /** A statement without a result (DDL, `INSERT ... SELECT`). */
  command(sql: string, parameters: QueryParameters = {}): Promise<void> {
    return this.withConnection(async ({ client }) => {
      await client.command({ query: sql, query_params: parameters });
    });
  }

  /** Room left on its fullest disk, bytes. */
  async freeBytes(): Promise<number> {
    const sql = 'SELECT toFloat64(min(unreserved_space)) FROM system.disks';
    const [row] = await this.queryTuples(sql, {}, z.tuple([z.number()]));
    return row?.[0] ?? 0;
  }

  /** Every table of the database with the statement that makes it. */
  tables(): Promise<{ name: string; create: string }[]> {
    return this.query(
      `SELECT name, create_table_query AS create FROM system.tables WHERE database = {database:String} ORDER BY name`,
      { database: this.database },
      z.object({ name: z.string(), create: z.string() }),
    );
  }

  /** Writes all rows into a file of the Native format on this machine, without holding them in memory. */
  exportTable(table: string, path: string): Promise<void> {
    if (this.embedded) {
      return this.command(`INSERT INTO FUNCTION file({path:String}, 'Native') SELECT * FROM ${table}`, { path });
    }
    return this.withConnection(async ({ client }) => {
      const { stream } = await client.exec({ query: `SELECT * FROM ${table} FORMAT Native` });
      await pipeline(stream, createWriteStream(path));
    });
  }

  importTable(table: string, path: string): Promise<void> {
    if (this.embedded) {
      return this.command(`INSERT INTO ${table} SELECT * FROM file({path:String}, 'Native')`, { path });
    }
    return this.withConnection(async ({ client }) => {
      const { stream } = await client.exec({
        query: `INSERT INTO ${table} FORMAT Native`,
        values: createReadStream(path),
      });
      stream.resume();
      await finished(stream);
    });
  }

  /**
   * Resolves when the embedded engine is gone too. A statement that is still running puts off the end of its connection, and a process that
   * exits before that crashes or hangs in the engine's own clean-up.
   */
  async close(): Promise<void> {
    await Promise.all(this.connections.map(({ client }) => client.close()));
    await this.drained?.();
  }

  private async withConnection<T>(work: (connection: ClickHouseConnection) => Promise<T>): Promise<T> {
    const entry = this.connections.reduce((best, next) => (next.busy < best.busy ? next : best));
    entry.busy += 1;
    try {
      return await guarded(() => work(entry));
    } finally {
      entry.busy -= 1;
    }
  }
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toClickHouseError(error);
  }
}
