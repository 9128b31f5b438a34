'use client';
import { ProblemPanel } from '@/components/ui/problem-panel';

/** A defect in one page leaves the rest of the dashboard standing. */
export default function PageError({ error, reset }: { error: Error; reset: () => void }) {
  return <ProblemPanel error={error} onRetry={reset} />;
}
