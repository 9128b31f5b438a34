import { GantryError, errorKinds, type ErrorKind } from '@gantry/kernel/gantry-error';
import { z } from 'zod';
import { Endpoints } from './endpoints.js';
import type { TypedDocumentString } from './gql/graphql.js';
import { retrying, unreachable } from './retrying.js';

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

/** What a balancer, or a gateway that is about to end, says instead of an answer. */
const NOT_SERVED = new Set([502, 503, 504]);

/** HTTP side of the API: GraphQL operations and plain REST requests, with one error form. */
export class Transport {
  readonly endpoints: Endpoints;

  constructor(
    addresses: string,
    private readonly credentials: CredentialSource,
  ) {
    this.endpoints = new Endpoints(addresses);
  }

  /**
   * Runs a query or mutation. `repeatable` operations (queries, and mutations with an idempotency key) are tried again on
   * errors that say so and when the connection breaks.
   */
  async execute<Result, Variables>(
    document: TypedDocumentString<Result, Variables>,
    variables: Variables,
    options: { repeatable?: boolean } = {},
  ): Promise<Result> {
    return retrying(() => this.executeOnce(document, variables), {
      repeatable: options.repeatable === true,
      otherAddresses: this.endpoints.count - 1,
    });
  }

  /** A REST request with the caller's credentials, repeated when it is a GET; a status of 400 and above becomes a `GantryError`. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const work = async () => {
      const headers = new Headers(init.headers);
      const authorization = await this.authorization();
      if (authorization !== undefined) headers.set('authorization', authorization);
      const { response } = await this.send(path, { ...init, headers });
      if (response.status >= 400) throw await errorFromRest(response);
      return response;
    };
    const repeatable = init.method === undefined || init.method === 'GET';
    return retrying(work, { repeatable, otherAddresses: this.endpoints.count - 1 });
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
    const { response, url } = await this.send('/graphql', {
      method: 'POST',
      headers,
      body: JSON.stringify({ query: document.toString(), variables }),
    });
    const text = await response.text().catch((cause: unknown) => {
      throw this.failed(url, cause);
    });
    const answer = answerSchema.safeParse(jsonOf(text));
    if (!answer.success || (answer.data.errors === undefined && answer.data.data === undefined)) {
      throw new GantryError(
        'CLIENT.BAD_ANSWER',
        NOT_SERVED.has(response.status) ? 'unavailable' : 'internal',
        `${url.origin} answered ${response.status}, and not as a Gantry API does. Check the address.`,
      );
    }
    const [first] = answer.data.errors ?? [];
    if (first !== undefined) throw errorFromGraphql(first);
    return answer.data.data as Result;
  }

  private async send(path: string, init: RequestInit): Promise<{ response: Response; url: URL }> {
    const { url } = this.endpoints;
    const response = await fetch(new URL(path, url), init).catch((cause: unknown) => {
      throw this.failed(url, cause);
    });
    if (NOT_SERVED.has(response.status)) this.endpoints.leave(url);
    return { response, url };
  }

  private failed(url: URL, cause: unknown): GantryError {
    this.endpoints.leave(url);
    return unreachable(url, cause);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const KIND_OF_STATUS: Record<number, ErrorKind> = {
  400: 'invalid',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
  429: 'limit',
  502: 'unavailable',
  503: 'unavailable',
  504: 'unavailable',
};

async function errorFromRest(response: Response): Promise<GantryError> {
  const parsed = restErrorSchema.safeParse(await response.json().catch(() => undefined));
  const kind = KIND_OF_STATUS[response.status] ?? (response.status < 500 ? 'invalid' : 'internal');
  if (!parsed.success)
    return new GantryError('CLIENT.BAD_ANSWER', kind, `The server answered with status ${response.status}.`);
  const { code, message, fields } = parsed.data.error;
  return new GantryError(code, kind, message, fields === undefined ? {} : { fields });
}
