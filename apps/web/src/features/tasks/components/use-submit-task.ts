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
  readonly name: string;
  readonly queuePosition: number | null;
  readonly duplicate: boolean;
}

/** Where a person is after the task was accepted: on its page, or at the form for the next one. */
export type After = 'open' | 'stay';

/** Sends the form. What the server refuses lands at its field; sent twice before the answer came, it makes one task. */
export function useSubmitTask(form: UseFormReturn<SubmitValues>) {
  const router = useRouter();
  const [submitTask] = useMutation(SubmitTaskDocument);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [accepted, setAccepted] = useState<Accepted | null>(null);
  const [leaving, setLeaving] = useState(false);
  const key = useRef<{ id: string; of: string }>(null);

  const submit = async (values: SubmitValues, after: After): Promise<void> => {
    setProblem(null);
    // The key belongs to what was written: the same form sent twice is one task, a changed form is another.
    const of = JSON.stringify(values);
    if (key.current?.of !== of) key.current = { id: randomId(), of };
    try {
      const { data } = await submitTask({ variables: { input: toSubmitInput(values, key.current.id) } });
      if (data === undefined) return;
      const { task, queuePosition, duplicate } = data.submitTask;
      setAccepted({ id: task.id, name: task.name, queuePosition: queuePosition ?? null, duplicate });
      if (after === 'stay') {
        // Sent once more, even unchanged, it is another task.
        key.current = null;
        form.setFocus('name', { shouldSelect: true });
        return;
      }
      setLeaving(true);
      toastDone(
        'Accepted',
        queuePosition === null || queuePosition === undefined
          ? `“${task.name}” is on its way.`
          : `“${task.name}” is at position ${queuePosition} in the queue.`,
      );
      router.push(`/tasks/${task.id}`);
    } catch (thrown) {
      const met = problemOf(thrown);
      setAccepted(null);
      const { fields, rest } = mapProblems(met.fields, values);
      for (const [index, { field, message }] of fields.entries())
        form.setError(field, { type: 'server', message }, { shouldFocus: index === 0 });
      setProblem({ ...met, fields: rest });
    }
  };
  return { submit, problem, accepted, leaving };
}
