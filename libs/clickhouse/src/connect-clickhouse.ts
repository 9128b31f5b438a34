import { mkdirSync } from 'node:fs';
import { ClickHouseLogLevel, createClient, type ClickHouseClientConfigOptions } from '@clickhouse/client';
import { GantryError } from '@gantry/kernel/gantry-error';
import { drainPending } from 'chdb';
import { createChdbConnection } from 'chdb/connection';
import { ClickHouse, type ClickHouseConnection } from './clickhouse.js';

export interface ClickHouseOptions {
  /** A server, e.g. `http://127.0.0.1:8123`. Without it the engine runs inside this process and keeps its data in `path`. */
  url?: string;
  username?: string;
  password?: string;
  database?: string;
  /** Folder of the embedded engine. Only one process at a time may open it. */
  path?: string;
  requestTimeoutMs?: number;
}

/**
 * One connection of the embedded engine runs one statement at a time, so a slow query would hold up every insert:
 * several connections to the same folder run side by side.
 */
const EMBEDDED_CONNECTIONS = 4;
const REMOTE_CONNECTIONS = 16;

/**
 * One typed client, whether ClickHouse is a server or a library in this process. Nothing is sent to a server yet, so this
 * works while the server is away; call `ensureDatabase` (the migrations do) before the first statement.
 */
export function connectClickHouse(options: ClickHouseOptions): ClickHouse {
  const { url, username, password, database = 'gantry', path, requestTimeoutMs = 30_000 } = options;
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(database)) {
    throw new GantryError(
      'CLICKHOUSE.DATABASE_NAME',
      'invalid',
      'Name the database with letters, digits and "_" only.',
    );
  }
  if (url !== undefined) {
    const remote = (name: string) =>
      createClient({
        url,
        database: name,
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        request_timeout: requestTimeoutMs,
        max_open_connections: REMOTE_CONNECTIONS,
        // Every failure is thrown, so the caller's own log has it.
        log: { level: ClickHouseLogLevel.OFF },
        // Older servers quote 64-bit integers by default; the embedded engine does not.
        clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
      });
    return new ClickHouse({
      connections: [{ client: remote(database) }],
      bootstrap: () => remote('default'),
      database,
      embedded: false,
    });
  }
  if (path === undefined) {
    throw new GantryError(
      'CLICKHOUSE.NO_TARGET',
      'invalid',
      'Give either the URL of a ClickHouse server or a folder for the embedded engine.',
    );
  }
  mkdirSync(path, { recursive: true });
  const closed = endWithOpenEngine();
  try {
    const connections = Array.from({ length: EMBEDDED_CONNECTIONS }, () => embeddedConnection(path));
    const drained = () => drainPending().then(closed);
    return new ClickHouse({ connections, database, embedded: true, drained });
  } catch (cause) {
    closed();
    throw new GantryError(
      'CLICKHOUSE.FOLDER_IN_USE',
      'unavailable',
      'The folder of the embedded ClickHouse cannot be opened. Stop the other process that uses it, or name another folder.',
      { cause },
    );
  }
}

/**
 * A process that exits while the engine works may crash or, worse, hang in the engine's own clean-up, beyond the reach of any timer. What the
 * engine has confirmed survives a kill, so from now on that is how such an exit ends. Returns what to call once the engine is closed.
 */
function endWithOpenEngine(): () => void {
  const kill = () => process.kill(process.pid, 'SIGKILL');
  // Before the handlers of the engine's package, which close what they can.
  process.prependListener('exit', kill);
  return () => process.off('exit', kill);
}

function embeddedConnection(path: string): ClickHouseConnection {
  const connection = createChdbConnection({ path });
  // Both sides have the same shape, but each package carries its own copy of the type.
  const forClient = connection as unknown as NonNullable<ClickHouseClientConfigOptions['connection']>;
  return { client: createClient({ connection: forClient }), raw: connection.chdb };
}
