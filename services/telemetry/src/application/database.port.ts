import type { ClickHouse } from '@gantry/clickhouse/clickhouse';

/** The way to ClickHouse. Throws a retryable `unavailable` error while it is away or its tables are not made yet. */
export interface Database {
  use<T>(work: (clickhouse: ClickHouse) => Promise<T>): Promise<T>;
}
