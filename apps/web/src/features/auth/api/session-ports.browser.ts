import { LogOutDocument, RefreshDocument } from '@/gql/graphql';
import { graphqlFetch } from '@/lib/graphql-fetch';
import { withRefreshMarker, type MarkerStorage } from '../model/refresh-marker';
import type { SessionMessage, SessionPorts } from '../model/session';

const NAME = 'gantry-session';
const clock = { now: () => Date.now(), sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)) };

/** The session's ports in a browser. `navigator.locks` needs HTTPS or localhost; without it the marker alone keeps tabs apart. */
export function browserSessionPorts(graphqlUrl: string): SessionPorts {
  const channel = new BroadcastChannel(NAME);
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    refresh: async () =>
      (
        await withRefreshMarker(
          () => graphqlFetch(graphqlUrl, RefreshDocument, {}, { keepalive: true }),
          markerStorage(),
          clock,
        )
      ).refresh,
    logOut: async () => {
      await graphqlFetch(graphqlUrl, LogOutDocument, {});
    },
    exclusively: async <T>(work: () => Promise<T>): Promise<T> => {
      if (navigator.locks === undefined) return work();
      return navigator.locks.request(NAME, work);
    },
    tell: (message) => channel.postMessage(message),
    listen: (listener) => {
      channel.addEventListener('message', (event: MessageEvent<SessionMessage>) => listener(event.data));
    },
    now: clock.now,
    schedule: (run, delayMs) => {
      clearTimeout(timer);
      timer = setTimeout(run, delayMs);
    },
  };
}

/** Private modes may forbid storage; then there is nothing to remember. */
function markerStorage(): MarkerStorage {
  try {
    return window.localStorage;
  } catch {
    return { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
  }
}
