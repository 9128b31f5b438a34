import { z } from 'zod';
import type { Database } from './database.port.js';

/**
 * How far each stream has been applied, kept beside the effect. Written now and then: a position that lags makes the
 * next start apply a little again, which changes nothing.
 */
export class AppliedPositions {
  private readonly newest = new Map<string, number>();
  private readonly stored = new Map<string, number>();
  /** Streams without a hole below the newest position. */
  private readonly whole = new Set<string>();

  constructor(private readonly database: Database) {}

  note(stream: string, sequence: number): void {
    this.newest.set(stream, Math.max(this.newest.get(stream) ?? 0, sequence));
  }

  /** Last applied sequence per stream; a stream that is absent was never applied. */
  async read(): Promise<Map<string, number>> {
    const rows = await this.database.use((clickhouse) =>
      clickhouse.queryTuples(
        'SELECT stream, last_sequence FROM applied_positions FINAL',
        {},
        z.tuple([z.string(), z.number()]),
      ),
    );
    return new Map(rows);
  }

  /** Until `markWhole`, what live messages note is not written: a crash must find the hole again. */
  markIncomplete(stream: string): void {
    this.whole.delete(stream);
    this.stored.delete(stream);
  }

  isWhole(stream: string): boolean {
    return this.whole.has(stream);
  }

  markWhole(stream: string): void {
    this.whole.add(stream);
  }

  async flush(): Promise<void> {
    const rows = [...this.newest].filter(
      ([stream, sequence]) => this.whole.has(stream) && this.stored.get(stream) !== sequence,
    );
    if (rows.length === 0) return;
    await this.database.use((clickhouse) => clickhouse.insert('applied_positions', ['stream', 'last_sequence'], rows));
    for (const [stream, sequence] of rows) this.stored.set(stream, sequence);
  }
}
