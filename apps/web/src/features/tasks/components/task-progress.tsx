import type { TaskRowFragment } from '@/gql/graphql';
import { formatPercent } from '@/lib/format';
import { isFinal } from '../model/task-status';
import styles from './task-progress.module.css';

type Shown = Pick<TaskRowFragment, 'status' | 'progressPercent' | 'message' | 'name'>;

/** A bar when the task tells how far it is; otherwise what it does, in words. Nothing is made up. */
export function TaskProgress({ task }: { task: Shown }) {
  const percent = task.status === 'succeeded' ? 100 : (task.progressPercent ?? null);
  if (percent === null || task.status === 'queued') {
    return <span className={styles.message}>{isFinal(task.status) ? '–' : (task.message ?? '–')}</span>;
  }
  return (
    <div className={styles.progress} title={task.message ?? undefined}>
      <div
        className={styles.track}
        role="progressbar"
        aria-label={`Progress of ${task.name}`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(percent)}
      >
        <div className={styles.bar} data-status={task.status} style={{ width: `${percent}%` }} />
      </div>
      <span className={styles.number}>{formatPercent(percent)}</span>
    </div>
  );
}
