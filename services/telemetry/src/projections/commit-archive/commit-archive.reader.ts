import { commitSchema, type StoredCommit } from '@gantry/contracts/messaging/commit';
import { z } from 'zod';
import type { Database } from '../../application/database.port.js';

const rowSchema = z.tuple([z.number(), z.string(), z.string()]);

export class CommitArchiveReader {
  constructor(private readonly database: Database) {}

  /** All archived commits of one aggregate, oldest first. */
  async commitsOf(stream: string, aggregateId: string): Promise<StoredCommit[]> {
    const rows = await this.database.use((clickhouse) =>
      clickhouse.queryTuples(
        `SELECT stream_sequence, subject, commit FROM commits FINAL
         WHERE stream = {stream:String} AND aggregate_id = {aggregateId:String}
         ORDER BY version, stream_sequence`,
        { stream, aggregateId },
        rowSchema,
      ),
    );
    return rows.map(([streamSequence, subject, commit]) => ({
      streamSequence,
      subject,
      commit: commitSchema.parse(JSON.parse(commit)),
    }));
  }
}
