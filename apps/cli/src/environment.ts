import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';

const environmentSchema = z.object({
  GANTRY_API_URL: z
    .string()
    .refine(
      (addresses) => addresses.split(',').every((address) => URL.canParse(address.trim())),
      'Set GANTRY_API_URL to an address such as http://localhost:4000, or to several with commas.',
    )
    .optional(),
  GANTRY_API_KEY: z.string().min(1).optional(),
  GANTRY_EMAIL: z.string().min(1).optional(),
  GANTRY_PASSWORD: z.string().min(1).optional(),
  GANTRY_CONFIG: z.string().min(1).optional(),
  XDG_CONFIG_HOME: z.string().min(1).optional(),
  GANTRY_DATA: z.string().min(1).default('.gantry'),
  NATS_URL: z.string().min(1).optional(),
  NATS_USER: z.string().min(1).optional(),
  NATS_PASSWORD: z.string().min(1).optional(),
  CLICKHOUSE_URL: z.url({ protocol: /^https?$/ }).optional(),
  CLICKHOUSE_USER: z.string().min(1).optional(),
  CLICKHOUSE_PASSWORD: z.string().min(1).optional(),
  CLICKHOUSE_DATABASE: z.string().min(1).optional(),
  NO_COLOR: z.string().optional(),
});

export type CliEnvironment = z.infer<typeof environmentSchema> & { configFile: string };

export function readEnvironment(source: NodeJS.ProcessEnv = process.env): CliEnvironment {
  const known = Object.fromEntries(
    Object.keys(environmentSchema.shape).map((key) => [key, source[key] === '' ? undefined : source[key]]),
  );
  const parsed = environmentSchema.safeParse(known);
  if (!parsed.success)
    throw new Error(parsed.error.issues.map(({ path: [name], message }) => `${String(name)}: ${message}`).join('\n'));
  const folder = parsed.data.XDG_CONFIG_HOME ?? path.join(os.homedir(), '.config');
  return { ...parsed.data, configFile: parsed.data.GANTRY_CONFIG ?? path.join(folder, 'gantry', 'config.json') };
}
