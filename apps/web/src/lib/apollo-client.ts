import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, Observable } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { ErrorLink } from '@apollo/client/link/error';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import type { Client } from 'graphql-ws';
import { map } from 'rxjs';
import { NewestTasks } from './newest-tasks';
import { isUnauthenticated, problemOf } from './problem';

export interface TokenSource {
  /** A token that is good for a while yet; null when signed out. */
  getAccessToken(): Promise<string | null>;
  /** The server refused the token: get another one, or null when the session is over. */
  renewAccessToken(): Promise<string | null>;
}

export function createApolloClient(graphqlUrl: string, channel: Client, tokens: TokenSource): ApolloClient {
  const authorize = new SetContextLink(async ({ headers }) => {
    const token = await tokens.getAccessToken();
    return {
      headers: {
        ...(headers as Record<string, string> | undefined),
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
    };
  });

  const retryOnceWhenRefused = new ErrorLink(({ error, operation, forward }) => {
    if (!isUnauthenticated(problemOf(error)) || operation.getContext()['renewed'] === true) return undefined;
    operation.setContext({ renewed: true });
    return new Observable((observer) => {
      let inner: { unsubscribe(): void } | undefined;
      let closed = false;
      tokens.renewAccessToken().then(
        (token) => {
          if (closed) return;
          if (token === null) observer.error(error);
          else inner = forward(operation).subscribe(observer);
        },
        (reason: unknown) => observer.error(reason),
      );
      return () => {
        closed = true;
        inner?.unsubscribe();
      };
    });
  });

  const newestTasks = new NewestTasks();
  const neverBack = new ApolloLink((operation, forward) =>
    forward(operation).pipe(map((result) => ({ ...result, data: newestTasks.take(result.data) }))),
  );

  return new ApolloClient({
    link: neverBack.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(channel),
      ApolloLink.from([retryOnceWhenRefused, authorize, new HttpLink({ uri: graphqlUrl, credentials: 'include' })]),
    ),
    cache: new InMemoryCache({
      typePolicies: {
        // Objects without an identity of their own are replaced whole.
        SystemHealth: { merge: false },
        ServiceHealth: { keyFields: ['service'] },
        Summary: { merge: false },
        Artifact: { keyFields: false },
        Gpu: { keyFields: false },
      },
    }),
    defaultOptions: { watchQuery: { fetchPolicy: 'cache-and-network' } },
  });
}
