import type { Metadata } from 'next';
import { TaskDetailPage } from '@/features/tasks/components/task-detail-page';

export const metadata: Metadata = { title: 'Task' };

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  return <TaskDetailPage key={id} id={decodeURIComponent(id)} />;
}
