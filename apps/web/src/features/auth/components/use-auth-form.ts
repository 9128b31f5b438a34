'use client';
import { useState } from 'react';
import { problemOf, type Problem } from '@/lib/problem';

/** Submits one of the small forms of this feature: one submission at a time, and the problem it met. */
export function useAuthForm<T>(submit: (values: T) => Promise<void>) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  return {
    problem,
    busy,
    run: async (values: T) => {
      setBusy(true);
      setProblem(null);
      try {
        await submit(values);
      } catch (thrown) {
        setProblem(problemOf(thrown));
      } finally {
        setBusy(false);
      }
    },
  };
}

/** The message for one input, whatever the server calls the enclosing object (`email`, `input.email`). */
export function fieldMessage(problem: Problem | null, name: string): string | undefined {
  return problem?.fields.find((field) => field.path === name || field.path.endsWith(`.${name}`))?.message;
}
