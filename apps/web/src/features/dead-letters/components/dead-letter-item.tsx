'use client';
import { useMutation } from '@apollo/client/react';
import { Button, Text } from '@mantine/core';
import { PlayIcon } from 'lucide-react';
import { useId, useState } from 'react';
import { confirm } from '@/components/ui/confirm';
import { RelativeTime } from '@/components/ui/relative-time';
import { StatusPill, type Tone } from '@/components/ui/status-pill';
import { toastDone, toastProblem } from '@/components/ui/toast';
import {
  DiscardDeadLetterDocument,
  ReplayDeadLetterDocument,
  type DeadLetterRowFragment,
  type DeadLetterState,
} from '@/gql/graphql';
import { DeadLetterContent } from './dead-letter-content';
import styles from './dead-letters.module.css';

const tones: Record<DeadLetterState, Tone> = { open: 'bad', replayed: 'good', discarded: 'muted' };

export function DeadLetterItem({ letter, onChanged }: { letter: DeadLetterRowFragment; onChanged: () => void }) {
  const [opened, setOpened] = useState(false);
  const contentId = useId();
  const [replay, { loading: replaying }] = useMutation(ReplayDeadLetterDocument);
  const [discard, { loading: discarding }] = useMutation(DiscardDeadLetterDocument);
  const { id, stream, consumer, subject, sequence, code, reason, failures, state } = letter;

  const act = async (work: () => Promise<unknown>, done: string) => {
    try {
      await work();
      toastDone(done, subject);
    } catch (thrown) {
      toastProblem(thrown);
    }
    onChanged();
  };
  const askDiscard = async () => {
    const sure = await confirm({
      title: 'Discard this message?',
      body: <Text size="sm">It will never be processed. It can be looked at until it is 30 days old.</Text>,
      action: 'Discard the message',
    });
    if (sure) await act(() => discard({ variables: { id } }), 'Discarded');
  };

  return (
    <li className={styles.row} data-testid="dead-letter">
      <div className={styles.words}>
        <div className={styles.reason}>{reason}</div>
        <div className={styles.meta}>
          <StatusPill tone={tones[state]} label={state} />
          <span className="mono">{code}</span>
          <span>{`${stream} → ${consumer}`}</span>
          <span className="mono">{`${subject} #${sequence}`}</span>
          <span>{failures === 1 ? 'failed once' : `failed ${failures} times`}</span>
          <RelativeTime time={letter.deadLetteredAt} />
          {letter.resolvedBy ? (
            <span>
              {`${state} by ${letter.resolvedBy} `}
              <RelativeTime time={letter.resolvedAt} />
            </span>
          ) : null}
        </div>
        {opened ? (
          <div id={contentId}>
            <DeadLetterContent id={id} />
          </div>
        ) : null}
      </div>
      <div className={styles.actions}>
        <Button
          size="compact-sm"
          variant="default"
          aria-expanded={opened}
          {...(opened ? { 'aria-controls': contentId } : {})}
          aria-label={`${opened ? 'Hide' : 'Show'} message ${sequence} of ${stream}`}
          onClick={() => setOpened(!opened)}
        >
          {opened ? 'Hide' : 'Show'}
        </Button>
        {state === 'open' ? (
          <>
            <Button
              size="compact-sm"
              leftSection={<PlayIcon size={14} />}
              loading={replaying}
              aria-label={`Replay message ${sequence} of ${stream}`}
              onClick={() => void act(() => replay({ variables: { id } }), 'Replayed')}
            >
              Replay
            </Button>
            <Button
              size="compact-sm"
              variant="default"
              loading={discarding}
              aria-label={`Discard message ${sequence} of ${stream}`}
              onClick={() => void askDiscard()}
            >
              Discard
            </Button>
          </>
        ) : null}
      </div>
    </li>
  );
}
