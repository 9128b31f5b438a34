import { z } from 'zod';

const schema = z.object({
  /** Where browsers reach the API. Without it: the page's own host name, port `GANTRY_API_PORT`. */
  GANTRY_PUBLIC_API_URL: z
    .url({
      protocol: /^https?$/,
      error: 'GANTRY_PUBLIC_API_URL must be an http(s) URL such as https://api.example.org',
    })
    .optional(),
  GANTRY_API_PORT: z.coerce.number().int().min(1).max(65_535).default(4000),
});

export interface ApiLocation {
  /** Null: beside the page, on `port`. */
  readonly url: string | null;
  readonly port: number;
}

/** Read at request time, so one build serves every installation. Server only. */
export function readEnvironment(): { api: ApiLocation; development: boolean } {
  const { GANTRY_PUBLIC_API_URL, GANTRY_API_PORT } = schema.parse({
    GANTRY_PUBLIC_API_URL: process.env['GANTRY_PUBLIC_API_URL'] || undefined,
    GANTRY_API_PORT: process.env['GANTRY_API_PORT'] || undefined,
  });
  return {
    api: { url: GANTRY_PUBLIC_API_URL?.replace(/\/+$/, '') ?? null, port: GANTRY_API_PORT },
    development: process.env.NODE_ENV === 'development',
  };
}
