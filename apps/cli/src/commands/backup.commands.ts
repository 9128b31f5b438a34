import path from 'node:path';
import type { Command } from 'commander';
import type { Manifest } from '@gantry/backup/manifest';
import type { SystemLocation } from '@gantry/backup/backup-system';
import type { CliEnvironment } from '../environment.js';
import { formatBytes } from '../output/format.js';

/** They go to the broker itself, not to the API, so they work on the machine of the data, or where the broker can be reached. */
export function addBackupCommands(admin: Command, environment: CliEnvironment): void {
  admin
    .command('backup')
    .description('write all streams and ClickHouse of a running system into a new folder')
    .argument('<folder>')
    .option('--data <folder>', 'data folder of npm start (or GANTRY_DATA)', environment.GANTRY_DATA)
    .option('--streams-only', 'leave ClickHouse out: history that has left the streams is then lost')
    .option('--no-verify', 'do not restore each stream on this machine (with its nats-server) to see that it is whole')
    .action(async (folder: string, options: { data: string; streamsOnly?: boolean; verify: boolean }) => {
      // Loaded here: the database engine is large and every other command does without.
      const { backupSystem } = await import('@gantry/backup/backup-system');
      const manifest = await backupSystem(locationOf(environment, options.data), folder, {
        streamsOnly: options.streamsOnly === true,
        verify: options.verify,
        onProgress: (line) => console.error(line),
      });
      console.log(`Backup written to ${folder}: ${describe(manifest)}.`);
    });

  admin
    .command('restore')
    .description('bring a backup back into a stopped, empty system')
    .argument('<folder>')
    .option('--data <folder>', 'data folder of npm start (or GANTRY_DATA)', environment.GANTRY_DATA)
    .option('--replace', 'lose whatever the system holds now')
    .action(async (folder: string, options: { data: string; replace?: boolean }) => {
      const { restoreSystem } = await import('@gantry/backup/backup-system');
      const manifest = await restoreSystem(locationOf(environment, options.data), folder, {
        replace: options.replace === true,
        onProgress: (line) => console.error(line),
      });
      console.log(`Restored ${describe(manifest)}, as of ${manifest.createdAt}. Start Gantry now.`);
    });
}

function locationOf(environment: CliEnvironment, data: string): SystemLocation {
  const { NATS_URL, NATS_USER, NATS_PASSWORD, CLICKHOUSE_URL, CLICKHOUSE_USER, CLICKHOUSE_PASSWORD } = environment;
  return {
    data: path.resolve(data),
    ...(NATS_URL === undefined ? {} : { broker: { url: NATS_URL, user: NATS_USER, password: NATS_PASSWORD } }),
    ...(CLICKHOUSE_URL === undefined
      ? {}
      : {
          clickhouse: {
            url: CLICKHOUSE_URL,
            database: environment.CLICKHOUSE_DATABASE ?? 'gantry',
            ...(CLICKHOUSE_USER === undefined ? {} : { username: CLICKHOUSE_USER }),
            ...(CLICKHOUSE_PASSWORD === undefined ? {} : { password: CLICKHOUSE_PASSWORD }),
          },
        }),
  };
}

function describe({ streams, clickhouse }: Manifest): string {
  const tables = clickhouse?.tables ?? [];
  const messages = streams.reduce((sum, stream) => sum + stream.messages, 0);
  const bytes = [...streams, ...tables].reduce((sum, file) => sum + file.bytes, 0);
  return `${streams.length} streams with ${messages} messages, ${tables.length} tables, ${formatBytes(bytes)}`;
}
