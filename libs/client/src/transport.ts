import { GantryError, errorKinds, type ErrorKind } from '@gantry/kernel/gantry-error';
import { z } from 'zod';
import type { TypedDocumentString } from './gql/graphql.js';

/** Access token or API key, asked for before every request. */
export type CredentialSource = () => string | undefined | Promise<string | undefined>;

const graphqlErrorSchema = z.object({
  message: z.string(),
  extensions: z
    .object({
      code: z.string().default('INTERNAL'),
      kind: z.enum(errorKinds).optional(),
      retryable: z.boolean().optional(),
      fields: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    })
    .loose()
    .optional(),
});

const answerSchema = z.object({ data: z.unknown().optional(), errors: z.array(z.unknown()).optional() });

const restErrorSchema = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    fields: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  }),
});

/** Turns one entry of a GraphQL `errors` list into the error it was on the server. */
export function errorFromGraphql(entry: unknown): GantryError {
  const parsed = graphqlErrorSchema.safeParse(entry);
  if (!parsed.success)
    return new GantryError('CLIENT.BAD_ANSWER', 'internal', 'The server answered in a form this client does not know.');
  const { message, extensions } = parsed.data;
  return new GantryError(extensions?.code ?? 'INTERNAL', extensions?.kind ?? 'internal', message, {
    ...(extensions?.retryable === undefined ? {} : { retryable: extensions.retryable }),
    ...(extensions?.fields === undefined ? {} : { fields: extensions.fields }),
  });
}

const RETRY_PAUSES_MS = [200, 500, 1_000, 2_000];

/** HTTP side of the API: GraphQL operations and plain REST requests, with one error form. */
export class Transport {
  constructor(
    readonly apiUrl: string,
    private readonly credentials: CredentialSource,
  ) {}

  /**
   * Runs a query or mutation. `repeatable` operations (queries, and mutations with an idempotency key) are tried again on
   * errors that say so and when the connection breaks.
   */
  async execute<Result, Variables>(
    document: TypedDocumentString<Result, Variables>,
    variables: Variables,
    options: { repeatable?: boolean } = {},
  ): Promise<Result> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.executeOnce(document, variables);
      } catch (error) {
        const pause = RETRY_PAUSES_MS[attempt];
        const mayRepeat = options.repeatable === true && error instanceof GantryError && error.retryable;
        if (!mayRepeat || pause === undefined) throw error;
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  /** A REST request with the caller's credentials; a status of 400 and above becomes a `GantryError`. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    const credential = await this.credentials();
    if (credential !== undefined) headers.set('authorization', `Bearer ${credential}`);
    let response: Response;
    try {
      response = await fetch(new URL(path, this.apiUrl), { ...init, headers });
    } catch (cause) {
      throw new GantryError(
        'CLIENT.UNREACHABLE',
        'unavailable',
        `No answer from ${this.apiUrl}. Is Gantry running there?`,
        { cause },
      );
    }
    if (response.status >= 400) throw await errorFromRest(response);
    return response;
  }

  authorization(): Promise<string | undefined> {
    return Promise.resolve(this.credentials()).then((credential) =>
      credential === undefined ? undefined : `Bearer ${credential}`,
    );
  }

  private async executeOnce<Result, Variables>(
    document: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): Promise<Result> {
    const headers = new Headers({
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
    });
    const authorization = await this.authorization();
    if (authorization !== undefined) headers.set('authorization', authorization);
    let response: Response;
    try {
      response = await fetch(new URL('/graphql', this.apiUrl), {
        method: 'POST',
        headers,
        body: JSON.stringify({ query: document.toString(), variables }),
      });
    } catch (cause) {
      throw new GantryError(
        'CLIENT.UNREACHABLE',
        'unavailable',
        `No answer from ${this.apiUrl}. Is Gantry running there?`,
        { cause },
      );
    }
    const answer = answerSchema.safeParse(await response.json().catch(() => undefined));
    if (!answer.success) {
      throw new GantryError(
        'CLIENT.BAD_ANSWER',
        'internal',
        `${this.apiUrl} answered ${response.status}, and not as a Gantry API does. Check the address.`,
      );
    }
    const [first] = answer.data.errors ?? [];
    if (first !== undefined) throw errorFromGraphql(first);
    return answer.data.data as Result;
  }
}

const KIND_OF_STATUS: Record<number, ErrorKind> = {
  400: 'invalid',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
  429: 'limit',
  503: 'unavailable',
};

async function errorFromRest(response: Response): Promise<GantryError> {
  const parsed = restErrorSchema.safeParse(await response.json().catch(() => undefined));
  const kind = KIND_OF_STATUS[response.status] ?? (response.status < 500 ? 'invalid' : 'internal');
  if (!parsed.success)
    return new GantryError('CLIENT.BAD_ANSWER', kind, `The server answered with status ${response.status}.`);
  const { code, message, fields } = parsed.data.error;
  return new GantryError(code, kind, message, fields === undefined ? {} : { fields });
}
