import type { Metadata } from 'next';
import { TasksWithWorkers } from './tasks-with-workers';

export const metadata: Metadata = { title: 'Tasks' };

export default function Page() {
  return <TasksWithWorkers />;
}
