import type { Migration } from '@gantry/clickhouse/migration';
import { commitsMigration } from './0001-commits.migration.js';
import { taskIndexMigration } from './0002-task-index.migration.js';
import { taskLogsMigration } from './0003-task-logs.migration.js';
import { samplesMigration } from './0004-samples.migration.js';
import { fleetSamplesMigration } from './0005-fleet-samples.migration.js';

export const migrations: readonly Migration[] = [
  commitsMigration,
  taskIndexMigration,
  taskLogsMigration,
  samplesMigration,
  fleetSamplesMigration,
];
