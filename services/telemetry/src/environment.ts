import { join } from 'node:path';
import { baseEnvironmentShape, parseEnvironment } from '@gantry/nest-platform/environment';
import { z } from 'zod';

const flag = z
  .enum(['true', 'false', '1', '0'])
  .default('false')
  .transform((value) => value === 'true' || value === '1');
const days = (fallback: number) => z.coerce.number().int().min(1).max(3_650).default(fallback);

const environmentSchema = z
  .object({
    ...baseEnvironmentShape,
    /** Data folder of the machine; the embedded ClickHouse lives in its subfolder `clickhouse`. */
    GANTRY_DATA: z.string().min(1).default('.gantry'),
    /** A ClickHouse server; without it the engine runs inside this process. */
    CLICKHOUSE_URL: z.url({ protocol: /^https?$/ }).optional(),
    CLICKHOUSE_USER: z.string().optional(),
    CLICKHOUSE_PASSWORD: z.string().optional(),
    CLICKHOUSE_DATABASE: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'Use letters, digits and "_".')
      .default('gantry'),
    GANTRY_LOG_RETENTION_DAYS: days(30),
    GANTRY_METRIC_RETENTION_DAYS: days(30),
    /** Read every stream again from its start at this start, whatever ClickHouse holds. Harmless, only slow. */
    GANTRY_TELEMETRY_REBUILD: flag,
    /** Other programs of the machine use its processors first: no task waits for what happens here, and lists have active tasks from elsewhere. */
    GANTRY_TELEMETRY_NICENESS: z.coerce.number().int().min(0).max(19).default(10),
  })
  .transform((variables) => ({
    ...variables,
    clickHousePath: join(variables.GANTRY_DATA, 'clickhouse'),
    exportPath: join(variables.GANTRY_DATA, 'clickhouse-export'),
  }));

export type TelemetryEnvironment = z.output<typeof environmentSchema>;

export function readEnvironment(source?: NodeJS.ProcessEnv): TelemetryEnvironment {
  return parseEnvironment(environmentSchema as z.ZodType<TelemetryEnvironment>, source);
}
