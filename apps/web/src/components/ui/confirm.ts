import { ExternalStore } from '@/lib/external-store';
import type { ReactNode } from 'react';

export interface Question {
  readonly title: string;
  readonly body: ReactNode;
  /** What the button does: "Delete the task". */
  readonly action: string;
}

export interface OpenQuestion extends Question {
  readonly answer: (sure: boolean) => void;
}

/** The question that is on the screen. */
export const openQuestion = new ExternalStore<OpenQuestion | null>(null);

/** Asks before something that cannot be taken back. */
export function confirm(question: Question): Promise<boolean> {
  // A second question answers the first with no.
  openQuestion.get()?.answer(false);
  return new Promise((resolve) => {
    openQuestion.set({
      ...question,
      answer: (sure) => {
        openQuestion.set(null);
        resolve(sure);
      },
    });
  });
}
