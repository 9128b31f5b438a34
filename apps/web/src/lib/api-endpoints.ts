import type { ApiLocation } from '@/environment';

export interface ApiEndpoints {
  /** Origin and base path, without a trailing slash. */
  readonly base: string;
  readonly graphql: string;
  readonly webSocket: string;
}

/** A configured address wins; otherwise the API is expected beside the dashboard, on a port of the same host. */
export function apiEndpoints(api: ApiLocation, page: { protocol: string; hostname: string }): ApiEndpoints {
  const base = api.url ?? `${page.protocol}//${page.hostname}:${api.port}`;
  return { base, graphql: `${base}/graphql`, webSocket: `${base.replace(/^http/, 'ws')}/graphql` };
}
