import { z } from 'zod';
import { baseEnvironmentShape, parseEnvironment } from '@gantry/nest-platform/environment';

const origins = z
  .string()
  .default('http://localhost:3000,http://127.0.0.1:3000')
  .transform((value) =>
    value
      .split(',')
      .map((origin) => origin.trim().replace(/\/$/, ''))
      .filter((origin) => origin !== ''),
  );

const flag = z
  .enum(['true', 'false', '1', '0', ''])
  .default('false')
  .transform((value) => value === 'true' || value === '1');

export const environmentSchema = z.object({
  ...baseEnvironmentShape,
  GANTRY_API_PORT: z.coerce.number().int().min(0).max(65_535).default(4000),
  GANTRY_API_HOST: z.string().min(1).default('127.0.0.1'),
  /** Web pages that may call the API with credentials. */
  GANTRY_WEB_ORIGINS: origins,
  /** Set when a reverse proxy stands in front: client address and scheme come from X-Forwarded-*. */
  GANTRY_TRUST_PROXY: flag,
  /** Registrations and log-ins per minute and client address. */
  GANTRY_AUTH_RATE_PER_MINUTE: z.coerce.number().int().min(1).default(60),
  /** All other calls per minute and caller. */
  GANTRY_RATE_PER_MINUTE: z.coerce.number().int().min(1).default(120_000),
  /** Open WebSockets and event streams of this process. */
  GANTRY_MAX_STREAMS: z.coerce.number().int().min(1).default(5_000),
  /** Signs download tickets; needed (and equal) when several gateways run. Default: a random key per process. */
  GANTRY_TICKET_SECRET: z.string().min(32).optional(),
});
export type GatewayEnvironment = z.infer<typeof environmentSchema>;

export function readEnvironment(source?: NodeJS.ProcessEnv): GatewayEnvironment {
  return parseEnvironment(environmentSchema, source);
}
