import { commitSchema, type StoredCommit } from '@gantry/contracts/messaging/commit';
import { z } from 'zod';
import type { Database } from '../../application/database.port.js';

const rowSchema = z
  .tuple([z.number(), z.string(), z.string()])
  .transform(([streamSequence, subject, commit]): StoredCommit => ({
    streamSequence,
    subject,
    commit: commitSchema.parse(JSON.parse(commit)),
  }));

/** The names go to a server in the address of the request, of which it takes 1 MiB. */
const NAMES_PER_QUERY = 2_000;

export class CommitArchiveReader {
  constructor(private readonly database: Database) {}

  /** All archived commits of one aggregate, oldest first. */
  commitsOf(stream: string, aggregateId: string): Promise<StoredCommit[]> {
    return this.database.use((clickhouse) =>
      clickhouse.queryTuples(
        `SELECT stream_sequence, subject, commit FROM commits FINAL
         WHERE stream = {stream:String} AND aggregate_id = {aggregateId:String}
         ORDER BY version, stream_sequence`,
        { stream, aggregateId },
        rowSchema,
      ),
    );
  }

  /** The same of many aggregates at once, but only what has `fromSequence` or a later place in the stream. */
  async commitsOfMany(
    stream: string,
    aggregateIds: readonly string[],
    fromSequence: number,
  ): Promise<Map<string, StoredCommit[]>> {
    const found = new Map<string, StoredCommit[]>();
    for (let at = 0; at < aggregateIds.length; at += NAMES_PER_QUERY) {
      const names = aggregateIds.slice(at, at + NAMES_PER_QUERY);
      const commits = await this.database.use((clickhouse) =>
        clickhouse.queryTuples(
          `SELECT stream_sequence, subject, commit FROM commits FINAL
           WHERE stream = {stream:String} AND aggregate_id IN {names:Array(String)} AND stream_sequence >= {from:UInt64}
           ORDER BY aggregate_id, version, stream_sequence`,
          { stream, names, from: Math.max(0, fromSequence) },
          rowSchema,
        ),
      );
      for (const stored of commits) {
        const known = found.get(stored.commit.aggregateId);
        if (known === undefined) found.set(stored.commit.aggregateId, [stored]);
        else known.push(stored);
      }
    }
    return found;
  }
}
