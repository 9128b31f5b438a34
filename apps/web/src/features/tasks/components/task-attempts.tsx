'use client';
import { Anchor } from '@mantine/core';
import Link from 'next/link';
import { Panel } from '@/components/ui/panel';
import { RelativeTime } from '@/components/ui/relative-time';
import { StatusPill } from '@/components/ui/status-pill';
import type { TaskDetailFragment } from '@/gql/graphql';
import { formatMebibytes } from '@/lib/format';
import { isTaskStatus, statusLabel, statusTone } from '../model/task-status';
import { TaskDuration } from './task-duration';
import styles from './task-attempts.module.css';

export function TaskAttempts({ attempts }: { attempts: TaskDetailFragment['attempts'] }) {
  return (
    <Panel title={attempts.length === 1 ? 'Attempt' : `Attempts (${attempts.length})`} flush>
      <ol className={styles.list}>
        {[...attempts].reverse().map((attempt) => (
          <li key={attempt.attempt} className={styles.item}>
            <div className={styles.head}>
              <span className={styles.number}>{`#${attempt.attempt}`}</span>
              {isTaskStatus(attempt.status) ? (
                <StatusPill tone={statusTone[attempt.status]} label={statusLabel[attempt.status]} />
              ) : (
                attempt.status
              )}
              <Anchor component={Link} href={`/workers/${attempt.workerId}`} size="sm">
                {attempt.workerName}
              </Anchor>
              <span className={styles.time}>
                <TaskDuration task={{ startedAt: attempt.startedAt ?? null, finishedAt: attempt.finishedAt ?? null }} />
              </span>
            </div>
            <div className={styles.words}>
              assigned <RelativeTime time={attempt.assignedAt} />
              {attempt.exitCode === null || attempt.exitCode === undefined ? null : (
                <span>{`, exit code ${attempt.exitCode}`}</span>
              )}
              {attempt.usage ? <span>{`, peak ${formatMebibytes(attempt.usage.peakMemoryMb)}`}</span> : null}
              {attempt.gpuIds.length > 0 ? <span>{`, ${attempt.gpuIds.length} GPU`}</span> : null}
            </div>
            {attempt.failure ? <div className={styles.failure}>{attempt.failure.message}</div> : null}
          </li>
        ))}
      </ol>
    </Panel>
  );
}
