import { Alert, Anchor } from '@mantine/core';
import Link from 'next/link';
import type { Accepted } from './use-submit-task';

/** What became of the task that was sent last, beside the form for the next one. */
export function AcceptedNote({ accepted }: { accepted: Accepted }) {
  const { id, name, queuePosition, duplicate } = accepted;
  return (
    <Alert color="teal" title={duplicate ? 'It had been accepted before' : 'Accepted'} role="status">
      <Anchor component={Link} href={`/tasks/${id}`} inherit data-testid="accepted-task">
        {name}
      </Anchor>{' '}
      {queuePosition === null ? (
        'left the queue already.'
      ) : (
        <span data-testid="queue-position">{`is at position ${queuePosition} in the queue.`}</span>
      )}
    </Alert>
  );
}
