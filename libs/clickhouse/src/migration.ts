/**
 * One step of the database's structure. Forward only: a released migration never changes, a new one follows it.
 * Every statement must be safe to run twice (`IF NOT EXISTS`), because ClickHouse has no transaction around DDL and two
 * replicas may start at the same time.
 */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly statements: readonly string[];
}
