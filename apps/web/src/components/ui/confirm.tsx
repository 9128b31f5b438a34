'use client';
import { modals } from '@mantine/modals';
import type { ReactNode } from 'react';

/** Asks before something that cannot be taken back. The safe answer has the focus. */
export function confirm(question: { title: string; body: ReactNode; action: string; danger?: boolean }): Promise<boolean> {
  return new Promise((resolve) => {
    modals.openConfirmModal({
      title: question.title,
      children: question.body,
      labels: { confirm: question.action, cancel: 'Keep it' },
      confirmProps: { color: question.danger === false ? undefined : 'red.8' },
      cancelProps: { 'data-autofocus': true },
      onConfirm: () => resolve(true),
      onCancel: () => resolve(false),
      onClose: () => resolve(false),
    });
  });
}
