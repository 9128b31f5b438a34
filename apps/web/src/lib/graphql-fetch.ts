import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql/language/printer';
import { ProblemError, problemFromWire, problemOfStatus } from './problem';

/**
 * One GraphQL operation over plain fetch, for pages that must not carry Apollo (log-in) and for the token refresh,
 * which runs underneath Apollo. Sends and accepts the HttpOnly cookie. Throws ProblemError, or TypeError when unreachable.
 */
export async function graphqlFetch<TData, TVariables>(
  url: string,
  document: TypedDocumentNode<TData, TVariables>,
  variables: TVariables,
  options: { accessToken?: string | null; keepalive?: boolean } = {},
): Promise<TData> {
  const response = await fetch(url, {
    method: 'POST',
    credentials: 'include',
    keepalive: options.keepalive ?? false,
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
      ...(options.accessToken ? { authorization: `Bearer ${options.accessToken}` } : {}),
    },
    body: JSON.stringify({ query: print(document), variables }),
  });
  const body = (await response.json().catch(() => null)) as {
    data?: TData | null;
    errors?: { message: string; extensions?: unknown }[];
  } | null;
  const error = body?.errors?.[0];
  if (error !== undefined) throw new ProblemError(problemFromWire(error.message, error.extensions));
  if (!body?.data) throw new ProblemError(problemOfStatus(response.status));
  return body.data;
}
