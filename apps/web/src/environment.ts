import { z } from 'zod';

const schema = z.object({
  /** Where browsers reach the API. Empty: the page's own host name, port 4000. */
  GANTRY_PUBLIC_API_URL: z
    .url({
      protocol: /^https?$/,
      error: 'GANTRY_PUBLIC_API_URL must be an http(s) URL such as https://api.example.org',
    })
    .optional(),
});

/** Read at request time, so one build serves every installation. Server only. */
export function readEnvironment(): { publicApiUrl: string | null; development: boolean } {
  const { GANTRY_PUBLIC_API_URL } = schema.parse({
    GANTRY_PUBLIC_API_URL: process.env['GANTRY_PUBLIC_API_URL'] || undefined,
  });
  return {
    publicApiUrl: GANTRY_PUBLIC_API_URL?.replace(/\/+$/, '') ?? null,
    development: process.env.NODE_ENV === 'development',
  };
}
