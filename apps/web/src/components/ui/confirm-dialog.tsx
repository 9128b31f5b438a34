'use client';
import { Button, Group, Modal } from '@mantine/core';
import type { OpenQuestion } from './confirm';

/** The safe answer has the focus. */
export default function ConfirmDialog({ question }: { question: OpenQuestion }) {
  return (
    <Modal
      opened
      centered
      onClose={() => question.answer(false)}
      title={question.title}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {question.body}
      <Group justify="flex-end" mt="lg" gap="sm">
        <Button variant="default" data-autofocus onClick={() => question.answer(false)}>
          Keep it
        </Button>
        <Button color="red.9" onClick={() => question.answer(true)}>
          {question.action}
        </Button>
      </Group>
    </Modal>
  );
}
