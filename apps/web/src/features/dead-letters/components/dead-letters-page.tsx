'use client';
import { useQuery } from '@apollo/client/react';
import { Button, SegmentedControl, Skeleton } from '@mantine/core';
import { MailCheckIcon } from 'lucide-react';
import { useState } from 'react';
import { EmptyState } from '@/components/ui/empty-state';
import { PageHeader } from '@/components/ui/page-header';
import { Panel } from '@/components/ui/panel';
import { ProblemPanel } from '@/components/ui/problem-panel';
import { DeadLettersDocument } from '@/gql/graphql';
import { DeadLetterItem } from './dead-letter-item';
import styles from './dead-letters.module.css';

const states = [
  { value: 'open', label: 'Open' },
  { value: 'replayed', label: 'Replayed' },
  { value: 'discarded', label: 'Discarded' },
];

/** Messages that no handler could process. Administrators only; the server refuses everybody else. */
export function DeadLettersPage() {
  const [state, setState] = useState('open');
  const { data, error, loading, refetch, fetchMore } = useQuery(DeadLettersDocument, {
    variables: { state },
    fetchPolicy: 'network-only',
  });
  const page = data?.deadLetters;
  const reload = () => void refetch().catch(() => undefined);
  const more = () =>
    void fetchMore({
      variables: { after: page?.next ?? null },
      updateQuery: (before, { fetchMoreResult: after }) => ({
        deadLetters: {
          ...after.deadLetters,
          deadLetters: [...before.deadLetters.deadLetters, ...after.deadLetters.deadLetters],
        },
      }),
    }).catch(() => undefined);

  return (
    <>
      <PageHeader
        title="Dead letters"
        detail="Messages that a service gave up, with the reason. Mend the cause, then replay them."
        actions={<SegmentedControl aria-label="Which ones" size="xs" data={states} value={state} onChange={setState} />}
      />
      <Panel flush>
        {page === undefined ? (
          error ? (
            <ProblemPanel error={error} onRetry={reload} />
          ) : (
            <Skeleton height={320} aria-label="Loading the dead letters" />
          )
        ) : page.deadLetters.length === 0 && !page.next ? (
          <EmptyState icon={<MailCheckIcon size={28} />} title={`No ${state} dead letters`}>
            {state === 'open'
              ? 'Every message was processed. One that cannot be is kept here for 30 days.'
              : 'Nothing was decided in the last 30 days.'}
          </EmptyState>
        ) : (
          <ul className={styles.list}>
            {page.deadLetters.map((letter) => (
              <DeadLetterItem key={letter.id} letter={letter} onChanged={reload} />
            ))}
          </ul>
        )}
        {page?.next ? (
          <div className={styles.more}>
            <Button variant="default" size="sm" loading={loading} onClick={more}>
              Older ones
            </Button>
          </div>
        ) : null}
      </Panel>
    </>
  );
}
