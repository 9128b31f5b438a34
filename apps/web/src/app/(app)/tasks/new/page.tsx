import type { Metadata } from 'next';
import { SubmitTaskPage } from '@/features/tasks/components/submit-task-page';

export const metadata: Metadata = { title: 'Submit a task' };

export default async function Page({ searchParams }: { searchParams: Promise<{ from?: string | string[] }> }) {
  const { from } = await searchParams;
  return <SubmitTaskPage from={typeof from === 'string' ? from : null} />;
}
