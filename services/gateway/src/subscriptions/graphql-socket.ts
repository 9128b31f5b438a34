import { GraphQLError, type ExecutionArgs, type GraphQLFormattedError, type GraphQLSchema } from 'graphql';
import { CloseCode, type Context } from 'graphql-ws';
import { useServer, type Extra } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { toGraphqlError, withKind } from '../edge/error-mapping.js';
import type { Authenticator, Credentials } from '../security/authenticator.js';
import type { Caller } from '../security/caller.js';
import { CheckedDocuments } from '../security/checked-documents.js';
import type { ConnectionLifetime, ConnectionLifetimes } from '../security/connection-lifetime.js';
import { limitRule } from '../security/graphql-limits.js';
import { identify } from '../security/http-guard.js';

const MAX_SUBSCRIPTIONS = 500;
export const MAX_TOKENS = 10_000;
const MAX_PAYLOAD_BYTES = 1024 * 1024;

interface Session extends Extra {
  [key: PropertyKey]: unknown;
  caller?: Caller;
  lifetime?: ConnectionLifetime;
}

export interface GraphqlSocketParts {
  schema: GraphQLSchema;
  authenticator: Authenticator;
  lifetimes: ConnectionLifetimes;
  ipOf: (request: Extra['request']) => string;
}

/**
 * GraphQL over WebSocket (protocol `graphql-transport-ws`). The token comes in `connectionParams.authorization`. Close codes:
 * 4401 = none was sent (a client must not try again as it is), 4403 = it is not or no longer good (come back with a fresh one).
 */
export function createGraphqlSocket({ schema, authenticator, lifetimes, ipOf }: GraphqlSocketParts) {
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_PAYLOAD_BYTES });
  const documents = new CheckedDocuments(schema, MAX_TOKENS, limitRule());
  const disposable = useServer<Record<string, unknown>, Session>(
    {
      onConnect: async (context) => {
        const { socket, request } = context.extra;
        const credentials = credentialsOf(context);
        const caller = await identify(authenticator, credentials, { ip: ipOf(request), headers: request.headers });
        if (caller.principal === null) {
          if (caller.rejection === null)
            socket.close(CloseCode.Unauthorized, 'Log in: send connectionParams.authorization.');
          else socket.close(CloseCode.Forbidden, caller.rejection.code);
          return false;
        }
        const lifetime = lifetimes.watch(caller.principal, credentials);
        lifetime.signal.addEventListener('abort', () => socket.close(CloseCode.Forbidden, 'AUTH.TOKEN_EXPIRED'), {
          once: true,
        });
        context.extra.caller = caller;
        context.extra.lifetime = lifetime;
        return true;
      },
      onSubscribe: ({ extra, subscriptions }, _id, payload) => {
        if (Object.keys(subscriptions).length > MAX_SUBSCRIPTIONS) {
          return [
            new GraphQLError(`At most ${MAX_SUBSCRIPTIONS} subscriptions run on one connection.`, {
              extensions: { code: 'LIMIT.SUBSCRIPTIONS', kind: 'limit' },
            }),
          ];
        }
        let checked: ReturnType<CheckedDocuments['check']>;
        try {
          checked = documents.check(payload.query);
        } catch (error) {
          return [error instanceof GraphQLError ? error : toGraphqlError(error)];
        }
        if (!('kind' in checked)) return checked;
        const args: ExecutionArgs = {
          schema,
          document: checked,
          operationName: payload.operationName,
          variableValues: payload.variables,
          contextValue: { caller: extra.caller },
        };
        return args;
      },
      onError: (_context, _id, _payload, errors) => errors.map(formatted),
      onNext: (_context, _id, _payload, _args, result) =>
        result.errors === undefined
          ? undefined
          : { ...result, errors: result.errors.map(formatted) as unknown as readonly GraphQLError[] },
      onClose: ({ extra }) => extra.lifetime?.end(),
    },
    server,
  );
  return { server, dispose: () => disposable.dispose() };
}

function formatted(error: GraphQLError): GraphQLFormattedError {
  // What a resolver threw keeps its code; what the GraphQL layer found gets one.
  const known =
    error.originalError === undefined || typeof error.extensions['code'] === 'string' ? error : toGraphqlError(error);
  const { message, locations, path } = error.toJSON();
  return {
    message: known === error ? message : known.message,
    ...(locations === undefined ? {} : { locations }),
    ...(path === undefined ? {} : { path }),
    extensions: withKind(known.extensions),
  };
}

function credentialsOf({ connectionParams, extra }: Context<Record<string, unknown>, Session>): Credentials {
  const text = (name: string): string | undefined => {
    const value = connectionParams?.[name] ?? connectionParams?.[name.toLowerCase()];
    return typeof value === 'string' ? value : undefined;
  };
  const header = extra.request.headers['x-api-key'];
  const apiKey = text('apiKey') ?? (typeof header === 'string' ? header : undefined);
  const authorization = text('Authorization') ?? extra.request.headers.authorization;
  return { ...(authorization === undefined ? {} : { authorization }), ...(apiKey === undefined ? {} : { apiKey }) };
}
