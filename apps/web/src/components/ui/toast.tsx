'use client';
import { notifications } from '@mantine/notifications';
import { problemOf } from '@/lib/problem';

export function toastDone(title: string, message?: string): void {
  notifications.show({ color: 'teal', title, message: message ?? '', autoClose: 5_000 });
}

export function toastInfo(id: string, title: string, message: string, color: 'teal' | 'red' | 'orange' | 'gray', onClick?: () => void): void {
  notifications.show({ id, color, title, message, autoClose: 8_000, ...(onClick ? { onClick, style: { cursor: 'pointer' } } : {}) });
}

export function toastProblem(thrown: unknown): void {
  const problem = problemOf(thrown);
  notifications.show({ color: 'red', title: problem.message, message: problem.code, autoClose: 10_000 });
}
