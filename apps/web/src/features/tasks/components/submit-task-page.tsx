'use client';
import { useQuery } from '@apollo/client/react';
import { Alert, Skeleton, Stack } from '@mantine/core';
import dynamic from 'next/dynamic';
import { PageHeader } from '@/components/ui/page-header';
import { TaskByIdDocument } from '@/gql/graphql';
import { problemOf } from '@/lib/problem';
import { emptySubmitValues, fromTask } from '../model/submit-values';

const SubmitTaskForm = dynamic(() => import('./submit-task-form').then((module) => module.SubmitTaskForm), {
  ssr: false,
  loading: () => <Skeleton height={560} />,
});

/** `from`: a task whose spec fills the form. */
export function SubmitTaskPage({ from }: { from: string | null }) {
  const { data, error, loading } = useQuery(TaskByIdDocument, { variables: { id: from ?? '' }, skip: from === null });
  return (
    <>
      <PageHeader
        title={from === null ? 'Submit a task' : 'Run again'}
        detail={data ? <span>{`Filled from “${data.task.name}”. Change what you need.`}</span> : null}
      />
      <Stack gap="md">
        {error ? (
          <Alert color="yellow" title="The earlier task could not be read">
            {problemOf(error).message} The form starts empty.
          </Alert>
        ) : null}
        {loading && data === undefined ? (
          <Skeleton height={560} />
        ) : (
          <SubmitTaskForm key={data?.task.id ?? 'empty'} initial={data ? fromTask(data.task) : emptySubmitValues} />
        )}
      </Stack>
    </>
  );
}
