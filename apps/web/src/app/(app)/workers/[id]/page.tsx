import type { Metadata } from 'next';
import { WorkerDetailPage } from '@/features/workers/components/worker-detail-page';

export const metadata: Metadata = { title: 'Worker' };

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  return <WorkerDetailPage key={id} id={decodeURIComponent(id)} />;
}
