import { createHash } from 'node:crypto';
import { GantryError } from '@gantry/kernel/gantry-error';
import { z } from 'zod';
import type { ClickHouse } from './clickhouse.js';
import type { Migration } from './migration.js';

const TABLE = 'schema_migrations';

/**
 * Brings the database up to date and returns the versions that were applied now. Repeating it does nothing; a released
 * migration whose text changed is refused. Versions that only the database knows are left alone: that is an older replica
 * during a rolling upgrade.
 */
export async function runMigrations(clickhouse: ClickHouse, migrations: readonly Migration[]): Promise<number[]> {
  checkOrder(migrations);
  await clickhouse.ensureDatabase();
  await clickhouse.command(
    `CREATE TABLE IF NOT EXISTS ${TABLE}
     (version UInt32, name String, checksum String, applied_at DateTime64(3) DEFAULT now64(3))
     ENGINE = ReplacingMergeTree ORDER BY version`,
  );
  const known = await clickhouse.query(
    `SELECT version, checksum FROM ${TABLE} FINAL`,
    {},
    z.object({ version: z.number(), checksum: z.string() }),
  );
  const checksums = new Map(known.map((row) => [row.version, row.checksum]));
  const applied: number[] = [];
  for (const migration of migrations) {
    const checksum = checksumOf(migration);
    const recorded = checksums.get(migration.version);
    if (recorded === checksum) continue;
    if (recorded !== undefined) {
      throw new GantryError(
        'CLICKHOUSE.MIGRATION_CHANGED',
        'internal',
        `Migration ${migration.version} (${migration.name}) differs from what this database was made with. Restore its text and add a new migration instead.`,
      );
    }
    for (const statement of migration.statements) await clickhouse.command(statement);
    await clickhouse.insert(TABLE, ['version', 'name', 'checksum'], [[migration.version, migration.name, checksum]]);
    applied.push(migration.version);
  }
  return applied;
}

function checkOrder(migrations: readonly Migration[]): void {
  migrations.forEach((migration, index) => {
    if (migration.version !== index + 1) {
      throw new GantryError(
        'CLICKHOUSE.MIGRATION_ORDER',
        'internal',
        `Number the migrations 1, 2, 3 ...; found ${migration.version} at place ${index + 1}.`,
      );
    }
  });
}

/** White space does not count, so that formatting a file is no change. */
function checksumOf(migration: Migration): string {
  const text = migration.statements.map((statement) => statement.replace(/\s+/g, ' ').trim()).join(';\n');
  return createHash('sha256').update(text).digest('hex');
}
