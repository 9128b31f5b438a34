'use client';
import { useQuery } from '@apollo/client/react';
import { Skeleton } from '@mantine/core';
import { Facts } from '@/components/ui/facts';
import { ProblemPanel } from '@/components/ui/problem-panel';
import { DeadLetterDocument } from '@/gql/graphql';
import { formatBytes } from '@/lib/format';
import styles from './dead-letters.module.css';

/** Headers and body of one message, read when somebody looks. */
export function DeadLetterContent({ id }: { id: string }) {
  const { data, error, refetch } = useQuery(DeadLetterDocument, { variables: { id } });
  if (data === undefined) {
    if (error) return <ProblemPanel error={error} onRetry={() => void refetch().catch(() => undefined)} />;
    return <Skeleton height={90} mt="xs" aria-label="Loading the message" />;
  }
  const { headers, payload, payloadComplete, sizeBytes } = data.deadLetter;
  return (
    <div className={styles.content}>
      {headers.length > 0 ? (
        <Facts
          items={headers.map(({ key, value }) => ({ label: key, value: <span className="mono">{value}</span> }))}
        />
      ) : null}
      {payload === null || payload === undefined ? (
        <p className="soft">The body is too large to be shown, or holds secrets.</p>
      ) : (
        <pre className={styles.payload} tabIndex={0} aria-label="Body of the message">
          {pretty(payload, payloadComplete)}
        </pre>
      )}
      {payload && !payloadComplete ? <p className="soft">{`The beginning of ${formatBytes(sizeBytes)}.`}</p> : null}
    </div>
  );
}

function pretty(payload: string, complete: boolean): string {
  if (!complete) return payload;
  try {
    return JSON.stringify(JSON.parse(payload), null, 2);
  } catch {
    return payload;
  }
}
