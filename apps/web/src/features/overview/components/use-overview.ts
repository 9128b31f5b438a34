'use client';
import { useQuery, useSubscription } from '@apollo/client/react';
import { HealthLiveDocument, OverviewDocument, SummaryLiveDocument } from '@/gql/graphql';

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

/** The API sends it at once and whenever it changes; a new connection starts with the current state. */
export function useHealth() {
  const { data, error, restart } = useSubscription(HealthLiveDocument, { fetchPolicy: 'no-cache' });
  return { health: data?.health, error, refetch: restart };
}
