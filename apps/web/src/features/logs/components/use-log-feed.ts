'use client';
import { useApolloClient } from '@apollo/client/react';
import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { useApi } from '@/lib/api-context';
import { browserLogPorts } from '../api/log-ports.browser';
import { LogFeed } from '../model/log-feed';

export function useLogFeed(taskId: string, attempt: number) {
  const client = useApolloClient();
  const { channel } = useApi();
  // One holder per attempt; the feed inside starts and closes with the effect, which React may run twice.
  const holder = useMemo(
    () => ({ make: () => new LogFeed(browserLogPorts(client, channel, taskId, attempt)) }),
    [client, channel, taskId, attempt],
  );
  const feed = useFeed(holder);
  const snapshot = useSyncExternalStore(feed.subscribe, feed.getSnapshot, feed.getSnapshot);
  return { feed, snapshot };
}

function useFeed(holder: { make: () => LogFeed; feed?: LogFeed }): LogFeed {
  holder.feed ??= holder.make();
  const { feed } = holder;
  useEffect(() => {
    feed.open();
    return () => feed.close();
  }, [feed]);
  return feed;
}
