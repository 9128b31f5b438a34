'use client';
import { TaskListPage } from '@/features/tasks/components/task-list-page';
import { useWorkers } from '@/features/workers/components/use-workers';

/** The worker filter offers the workers there are; tasks do not depend on the workers feature, so they meet here. */
export function TasksWithWorkers() {
  const { workers } = useWorkers();
  return <TaskListPage workers={workers ?? []} />;
}
