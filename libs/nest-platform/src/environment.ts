import { GantryError } from '@gantry/kernel/gantry-error';
import { z } from 'zod';

/** Variables that every service reads. Spread it into the service's own `z.object`. */
export const baseEnvironmentShape = {
  NATS_URL: z.string().min(1).default('nats://127.0.0.1:4222'),
  NATS_USER: z.string().optional(),
  NATS_PASSWORD: z.string().optional(),
  /** How many brokers of a cluster keep each stream and KV bucket that this service makes: 3 in production. */
  GANTRY_STREAM_REPLICAS: z.coerce.number().int().min(1).max(5).default(1),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  LOG_FORMAT: z.enum(['json', 'pretty']).default('json'),
  /** Port of `/metrics` and `/health`; 0 = off. */
  METRICS_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
} as const;

const baseEnvironmentSchema = z.object(baseEnvironmentShape);
export type BaseEnvironment = z.output<typeof baseEnvironmentSchema>;

/** The base environment alone, for programs without variables of their own. */
export function readBaseEnvironment(source?: NodeJS.ProcessEnv): BaseEnvironment {
  return parseEnvironment(baseEnvironmentSchema, source);
}

/**
 * Parses the environment once, at start. Every wrong variable is printed (never its value: it may be a secret) before it
 * throws, so one look at the output is enough to fix them all. A variable that is set but empty counts as absent,
 * because that is how Compose and Helm write an option that was left out.
 */
export function parseEnvironment<T>(schema: z.ZodType<T>, source: NodeJS.ProcessEnv = process.env): T {
  const present = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = schema.safeParse(present);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  for (const field of fields) process.stderr.write(`environment: ${field.path}: ${field.message}\n`);
  throw new GantryError(
    'ENVIRONMENT.INVALID',
    'invalid',
    `Set these environment variables right and start again: ${fields.map((field) => field.path).join(', ')}.`,
    { fields },
  );
}
