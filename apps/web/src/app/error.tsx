'use client';
import { ProblemPanel } from '@/components/ui/problem-panel';

export default function RootError({ error, reset }: { error: Error; reset: () => void }) {
  return (
    <main style={{ display: 'grid', placeItems: 'center', minHeight: '100dvh' }}>
      <ProblemPanel error={error} onRetry={reset} />
    </main>
  );
}
