import type { Metadata } from 'next';
import Link from 'next/link';
import { EmptyState } from '@/components/ui/empty-state';
import { GantryLogo } from '@/components/ui/gantry-logo';

export const metadata: Metadata = { title: 'Not found' };

export default function NotFound() {
  return (
    <main style={{ display: 'grid', placeItems: 'center', minHeight: '100dvh' }}>
      <EmptyState
        icon={<GantryLogo size={44} />}
        title="There is no such page"
        action={<Link href="/">To the overview</Link>}
      >
        The address may be mistyped, or the page has moved.
      </EmptyState>
    </main>
  );
}
