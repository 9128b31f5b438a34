export interface ApiEndpoints {
  /** Origin and base path, without a trailing slash. */
  readonly base: string;
  readonly graphql: string;
  readonly webSocket: string;
}

export const DEFAULT_API_PORT = 4000;

/** `configured` wins; otherwise the API is expected beside the dashboard, on port 4000 of the same host. */
export function apiEndpoints(configured: string | null, page: { protocol: string; hostname: string }): ApiEndpoints {
  const base = configured ?? `${page.protocol}//${page.hostname}:${DEFAULT_API_PORT}`;
  return { base, graphql: `${base}/graphql`, webSocket: `${base.replace(/^http/, 'ws')}/graphql` };
}
