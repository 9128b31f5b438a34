import type { NotificationData } from '@mantine/notifications';
import { problemOf } from '@/lib/problem';

/** Loaded with the first toast: most pages show none. One with the id of a toast that is still there takes its place. */
function show(toast: NotificationData): void {
  void import('@mantine/notifications').then(({ notifications }) => {
    notifications.update(toast);
    notifications.show(toast);
  });
}

export function toastDone(title: string, message?: string): void {
  show({ color: 'teal', title, message: message ?? '', autoClose: 5_000 });
}

export function toastInfo(
  id: string,
  title: string,
  message: string,
  color: 'teal' | 'red' | 'orange' | 'gray',
  onClick: () => void,
): void {
  show({ id, color, title, message, autoClose: 8_000, onClick, style: { cursor: 'pointer' } });
}

export function toastProblem(thrown: unknown): void {
  const problem = problemOf(thrown);
  show({ color: 'red', title: problem.message, message: problem.code, autoClose: 10_000 });
}
