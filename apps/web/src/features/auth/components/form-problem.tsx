import { Alert } from '@mantine/core';
import type { Problem } from '@/lib/problem';

/** The part of a problem that no single input can show. */
export function FormProblem({ problem }: { problem: Problem | null }) {
  return (
    <div aria-live="polite">
      {problem ? (
        <Alert color="red" title={problem.message} role="alert">
          <span className="mono soft">{problem.code}</span>
        </Alert>
      ) : null}
    </div>
  );
}
