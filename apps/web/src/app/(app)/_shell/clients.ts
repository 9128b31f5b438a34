import type { ApolloClient } from '@apollo/client';
import type { Session } from '@/features/auth/model/session';
import type { ApiAccess } from '@/lib/api-context';
import { createApolloClient } from '@/lib/apollo-client';
import type { ApiEndpoints } from '@/lib/api-endpoints';
import { ConnectionStore } from '@/lib/connection-state';
import { createLiveChannel } from '@/lib/live-channel';

interface Clients {
  readonly userId: string;
  readonly apollo: ApolloClient;
  readonly api: ApiAccess;
}

let current: Clients | undefined;

/** One set of clients per person and tab; the set of the person before is closed. */
export function clientsFor(
  { endpoints, session }: { endpoints: ApiEndpoints; session: Session },
  userId: string,
): Clients {
  if (current?.userId === userId) return current;
  close();
  const connection = new ConnectionStore();
  const channel = createLiveChannel(endpoints.webSocket, session.getAccessToken, connection);
  current = {
    userId,
    apollo: createApolloClient(endpoints.graphql, channel, session),
    api: { endpoints, channel, connection, getAccessToken: session.getAccessToken },
  };
  const stopListening = session.subscribe(() => {
    if (session.get().status !== 'signed_out') return;
    stopListening();
    close();
  });
  return current;
}

/** Nothing of a session outlives it: neither the socket nor the cache. */
function close(): void {
  if (current === undefined) return;
  void current.api.channel.dispose();
  current.apollo.stop();
  current = undefined;
}
