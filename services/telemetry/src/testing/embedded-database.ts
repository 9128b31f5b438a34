import type { ClickHouse } from '@gantry/clickhouse/clickhouse';
import { connectClickHouse } from '@gantry/clickhouse/connect-clickhouse';
import { runMigrations } from '@gantry/clickhouse/run-migrations';
import { removeFolder, temporaryFolder } from '@gantry/testing/temporary-folder';
import type { Database } from '../application/database.port.js';
import { migrations } from '../migrations/migrations.js';

/** The real engine with the real tables in a folder of its own. The engine binds one folder per process: one per test file. */
export class EmbeddedDatabase implements Database {
  private constructor(
    readonly clickhouse: ClickHouse,
    private readonly path: string,
  ) {}

  static async open(): Promise<EmbeddedDatabase> {
    const path = temporaryFolder('gantry-telemetry');
    const clickhouse = connectClickHouse({ path });
    await runMigrations(clickhouse, migrations);
    return new EmbeddedDatabase(clickhouse, path);
  }

  use<T>(work: (clickhouse: ClickHouse) => Promise<T>): Promise<T> {
    return work(this.clickhouse);
  }

  async close(): Promise<void> {
    await this.clickhouse.close();
    removeFolder(this.path);
  }
}
