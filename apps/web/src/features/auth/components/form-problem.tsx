import { Alert } from '@mantine/core';
import type { Problem } from '@/lib/problem';

/** The part of a problem that no single input can show. */
export function FormProblem({ problem }: { problem: Problem | null }) {
  if (problem === null) return null;
  return (
    <Alert color="red" title={problem.message} role="alert">
      <span className="mono soft">{problem.code}</span>
    </Alert>
  );
}
