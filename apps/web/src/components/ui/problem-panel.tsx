'use client';
import { Button } from '@mantine/core';
import { TriangleAlertIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { problemOf } from '@/lib/problem';
import { EmptyState } from './empty-state';

/** What failed, its code, and a way on. */
export function ProblemPanel({ error, onRetry, action }: { error: unknown; onRetry?: () => void; action?: ReactNode }) {
  const problem = problemOf(error);
  return (
    <div role="alert">
      <EmptyState
        icon={<TriangleAlertIcon size={28} />}
        title={problem.message}
        action={
          action ??
          (onRetry ? (
            <Button variant="default" size="sm" onClick={onRetry}>
              Try again
            </Button>
          ) : null)
        }
      >
        <span className="mono">{problem.code}</span>
      </EmptyState>
    </div>
  );
}
