'use client';
import { useQuery } from '@apollo/client/react';
import { Button, Skeleton } from '@mantine/core';
import { useEffect, useState } from 'react';
import { Panel } from '@/components/ui/panel';
import { ProblemPanel } from '@/components/ui/problem-panel';
import { TaskHistoryDocument, type TaskDetailFragment } from '@/gql/graphql';
import { formatClockMilliseconds, formatDateTime, formatDuration } from '@/lib/format';
import { timelineItem } from '../model/timeline';
import styles from './task-timeline.module.css';

const SHORT = 12;

/** Every event of the task. Read again when the task's version grows. */
export function TaskTimeline({ task }: { task: Pick<TaskDetailFragment, 'id' | 'version'> }) {
  const { data, error, refetch } = useQuery(TaskHistoryDocument, {
    variables: { id: task.id },
    fetchPolicy: 'no-cache',
  });
  const [all, setAll] = useState(false);
  const [readVersion, setReadVersion] = useState(task.version);

  useEffect(() => {
    if (task.version === readVersion) return undefined;
    // Progress may come many times a second: the newest version is read once things settle.
    const timer = setTimeout(() => {
      setReadVersion(task.version);
      void refetch().catch(() => undefined);
    }, 300);
    return () => clearTimeout(timer);
  }, [task.version, readVersion, refetch]);

  if (data === undefined) {
    return (
      <Panel title="History">
        {error ? <ProblemPanel error={error} onRetry={() => void refetch()} /> : <Skeleton height={160} />}
      </Panel>
    );
  }
  const items = data.task.history.map(timelineItem);
  const first = items[0]?.at ?? 0;
  const shown = all ? items : items.slice(-SHORT);
  return (
    <Panel title={`History (${items.length})`}>
      {items.length > shown.length ? (
        <Button variant="subtle" size="compact-sm" mb="xs" onClick={() => setAll(true)}>
          {`Show ${items.length - shown.length} earlier`}
        </Button>
      ) : null}
      <ol className={styles.line}>
        {shown.map((item) => (
          <li key={item.key} className={styles.item} data-tone={item.tone}>
            <div className={styles.title}>{item.title}</div>
            {item.detail ? <div className={styles.detail}>{item.detail}</div> : null}
            <div className={styles.meta}>
              <time dateTime={new Date(item.at).toISOString()} title={formatDateTime(item.at)}>
                {formatClockMilliseconds(item.at)}
              </time>
              {item.at > first ? <span>{`+${formatDuration(item.at - first)}`}</span> : null}
              <span>{item.actor}</span>
            </div>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
