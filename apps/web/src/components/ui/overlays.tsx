'use client';
import dynamic from 'next/dynamic';
import { useSyncExternalStore } from 'react';
import { openQuestion } from './confirm';

// Neither is needed for the first paint.
const ConfirmDialog = dynamic(() => import('./confirm-dialog'), { ssr: false });
const ToastHost = dynamic(() => import('./toast-host'), { ssr: false });

/** Where questions and toasts appear. Once per page. */
export function Overlays() {
  const question = useSyncExternalStore(openQuestion.subscribe, openQuestion.get, () => null);
  return (
    <>
      <ToastHost />
      {question === null ? null : <ConfirmDialog question={question} />}
    </>
  );
}
