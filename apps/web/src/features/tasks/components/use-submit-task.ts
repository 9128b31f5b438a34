'use client';
import { useMutation } from '@apollo/client/react';
import { useRouter } from 'next/navigation';
import { useRef, useState } from 'react';
import type { UseFormReturn } from 'react-hook-form';
import { toastDone } from '@/components/ui/toast';
import { SubmitTaskDocument } from '@/gql/graphql';
import { problemOf, type Problem } from '@/lib/problem';
import { randomId } from '@/lib/random-id';
import { mapProblems } from '../model/submit-fields';
import { toSubmitInput, type SubmitValues } from '../model/submit-values';

export interface Accepted {
  readonly id: string;
  readonly queuePosition: number | null;
  readonly duplicate: boolean;
}

/** Sends the form. What the server refuses lands at its field; one filled form makes one task, however often it is sent. */
export function useSubmitTask(form: UseFormReturn<SubmitValues>) {
  const router = useRouter();
  const [submitTask] = useMutation(SubmitTaskDocument);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [accepted, setAccepted] = useState<Accepted | null>(null);
  const key = useRef<{ id: string; of: string }>(null);

  const submit = async (values: SubmitValues): Promise<void> => {
    setProblem(null);
    // The key belongs to what was written: the same form sent twice is one task, a changed form is another.
    const of = JSON.stringify(values);
    if (key.current?.of !== of) key.current = { id: randomId(), of };
    try {
      const { data } = await submitTask({ variables: { input: toSubmitInput(values, key.current.id) } });
      if (data === undefined) return;
      const { task, queuePosition, duplicate } = data.submitTask;
      setAccepted({ id: task.id, queuePosition: queuePosition ?? null, duplicate });
      toastDone(
        'Accepted',
        queuePosition === null || queuePosition === undefined
          ? `“${task.name}” is on its way.`
          : `“${task.name}” is at position ${queuePosition} in the queue.`,
      );
      router.push(`/tasks/${task.id}`);
    } catch (thrown) {
      const met = problemOf(thrown);
      const { fields, rest } = mapProblems(met.fields, values);
      for (const [index, { field, message }] of fields.entries())
        form.setError(field, { type: 'server', message }, { shouldFocus: index === 0 });
      setProblem({ ...met, fields: rest });
    }
  };
  return { submit, problem, accepted };
}
