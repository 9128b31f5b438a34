import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { OutputOf, ParsedInputOf } from '@gantry/contracts/messaging/request';
import { exportTables } from '@gantry/contracts/telemetry/telemetry-requests';
import { HandleRequest, type InboundRequest } from '@gantry/jetstream/nest/decorators';
import { GantryError } from '@gantry/kernel/gantry-error';
import { Controller, Inject } from '@nestjs/common';
import type { Database } from '../../application/database.port.js';
import { TelemetryDatabase } from '../out/telemetry-database.js';
import { EXPORT_FOLDER } from '../../telemetry.tokens.js';

/** Goes first, so that whatever comes after it is read again from the streams after a restore. */
const POSITIONS = 'applied_positions';

@Controller()
export class ExportRequests {
  constructor(
    @Inject(TelemetryDatabase) private readonly database: Database,
    /** Beside the data of the embedded engine; null when ClickHouse is a server. */
    @Inject(EXPORT_FOLDER) private readonly folder: string | null,
  ) {}

  @HandleRequest(exportTables)
  async export(
    _input: ParsedInputOf<typeof exportTables>,
    { context }: InboundRequest,
  ): Promise<OutputOf<typeof exportTables>> {
    if (context.actor.kind !== 'service' || context.actor.id !== 'operator') throw notForYou();
    if (this.folder === null) throw notEmbedded();
    const folder = join(this.folder, randomUUID());
    // Leftovers of exports that nobody fetched.
    await rm(this.folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return this.database.use(async (clickhouse) => {
      const found = (await clickhouse.tables()).toSorted(
        (a, b) => Number(b.name === POSITIONS) - Number(a.name === POSITIONS),
      );
      const tables = [];
      for (const { name, create } of found) {
        const path = join(folder, `${name}.native`);
        await clickhouse.exportTable(name, path);
        tables.push({ name, create, path });
      }
      return { database: clickhouse.database, tables };
    });
  }
}

function notForYou(): GantryError {
  return new GantryError('AUTH.FORBIDDEN', 'forbidden', 'Only the operator may export tables: gantry admin backup.');
}

function notEmbedded(): GantryError {
  return new GantryError(
    'BACKUP.CLICKHOUSE_IS_REMOTE',
    'conflict',
    'ClickHouse is a server here. Set CLICKHOUSE_URL (and its user and password) for gantry admin backup as well.',
  );
}
