'use client';
import { useQuery, useSubscription } from '@apollo/client/react';
import { useEffect } from 'react';
import { HealthDocument, OverviewDocument, SummaryLiveDocument } from '@/gql/graphql';

const HEALTH_MS = 10_000;

export function useSummary() {
  const { data, error, refetch, client } = useQuery(OverviewDocument);
  useSubscription(SummaryLiveDocument, {
    ignoreResults: true,
    onData: ({ data: { data: live } }) => {
      if (live) client.cache.writeQuery({ query: OverviewDocument, data: live });
    },
  });
  return { summary: data?.summary, error, refetch: () => void refetch() };
}

/** The API has no push for its own health: a page that is looked at asks every ten seconds. */
export function useHealth() {
  const { data, error, refetch } = useQuery(HealthDocument, { fetchPolicy: 'no-cache' });
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void refetch().catch(() => undefined);
    }, HEALTH_MS);
    return () => clearInterval(timer);
  }, [refetch]);
  return { health: data?.health, error, refetch: () => void refetch() };
}
