'use client';
import { Anchor, Checkbox } from '@mantine/core';
import Link from 'next/link';
import { memo, type ReactNode } from 'react';
import { CopyId, shortId } from '@/components/ui/copy-id';
import { RelativeTime } from '@/components/ui/relative-time';
import type { TaskRowFragment, TaskSort } from '@/gql/graphql';
import { TaskDuration } from './task-duration';
import { TaskProgress } from './task-progress';
import { TaskStatusPill } from './task-status-pill';
import styles from './task-table.module.css';

export interface TaskTableProps {
  caption: string;
  tasks: readonly TaskRowFragment[];
  selection?: { ids: ReadonlySet<string>; toggle: (id: string) => void; toggleAll: () => void };
  sorting?: { sort: TaskSort; descending: boolean; onSort: (sort: TaskSort) => void };
  /** The worker column says nothing on a worker's own page. */
  hideWorker?: boolean;
}

/** Tasks as a table; on a narrow screen each row becomes a card. */
export function TaskTable({ caption, tasks, selection, sorting, hideWorker = false }: TaskTableProps) {
  return (
    <div className={styles.frame}>
      <table className={styles.table}>
        <caption className="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {selection ? (
              <th className={styles.check}>
                <Checkbox
                  size="xs"
                  aria-label="Select all rows"
                  checked={tasks.length > 0 && selection.ids.size >= tasks.length}
                  indeterminate={selection.ids.size > 0 && selection.ids.size < tasks.length}
                  onChange={selection.toggleAll}
                />
              </th>
            ) : null}
            <th>Name</th>
            <SortableHead sort="status" sorting={sorting}>
              Status
            </SortableHead>
            <th>Progress</th>
            <th>Owner</th>
            {hideWorker ? null : <th>Worker</th>}
            <SortableHead sort="created" sorting={sorting}>
              Created
            </SortableHead>
            <SortableHead sort="duration" sorting={sorting} right>
              Duration
            </SortableHead>
          </tr>
        </thead>
        <tbody>
          {tasks.map((task) => (
            <TaskTableRow
              key={task.id}
              task={task}
              hideWorker={hideWorker}
              selected={selection?.ids.has(task.id) ?? false}
              onToggle={selection?.toggle}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SortableHead({
  sort,
  sorting,
  right = false,
  children,
}: {
  sort: TaskSort;
  sorting: TaskTableProps['sorting'];
  right?: boolean;
  children: ReactNode;
}) {
  if (!sorting) return <th className={right ? styles.right : undefined}>{children}</th>;
  const active = sorting.sort === sort;
  return (
    <th
      className={right ? styles.right : undefined}
      aria-sort={active ? (sorting.descending ? 'descending' : 'ascending') : 'none'}
    >
      <button
        type="button"
        className={styles.sort}
        data-active={active || undefined}
        onClick={() => sorting.onSort(sort)}
      >
        {children}
        <span aria-hidden="true">{active ? (sorting.descending ? '↓' : '↑') : '↕'}</span>
      </button>
    </th>
  );
}

interface RowProps {
  task: TaskRowFragment;
  hideWorker: boolean;
  selected: boolean;
  onToggle: ((id: string) => void) | undefined;
}

const TaskTableRow = memo(function TaskTableRow({ task, hideWorker, selected, onToggle }: RowProps) {
  return (
    <tr data-selected={selected || undefined}>
      {onToggle ? (
        <td className={styles.check}>
          <Checkbox
            size="xs"
            aria-label={`Select ${task.name}`}
            checked={selected}
            onChange={() => onToggle(task.id)}
          />
        </td>
      ) : null}
      <td className={styles.name}>
        <Anchor component={Link} href={`/tasks/${task.id}`} prefetch={false} className={styles.link} title={task.name}>
          {task.name}
        </Anchor>
        <span className={styles.under}>
          <CopyId value={task.id} shown={shortId(task.id)} label="task id" />
          {task.tags.slice(0, 3).map((tag) => (
            <span key={tag} className={styles.tag}>
              {tag}
            </span>
          ))}
        </span>
      </td>
      <td data-label="Status">
        <TaskStatusPill status={task.status} cancelling={task.cancelRequestedAt !== null} />
      </td>
      <td data-label="Progress">
        <TaskProgress task={task} />
      </td>
      <td data-label="Owner">
        <span className={styles.cell} title={task.ownerName}>
          {task.ownerName}
        </span>
      </td>
      {hideWorker ? null : (
        <td data-label="Worker">
          {task.workerId ? (
            <Anchor
              component={Link}
              href={`/workers/${task.workerId}`}
              prefetch={false}
              className={styles.cell}
              inherit
              title={task.workerName ?? undefined}
            >
              {task.workerName}
            </Anchor>
          ) : (
            <span className="soft">–</span>
          )}
        </td>
      )}
      <td data-label="Created">
        <RelativeTime time={task.createdAt} />
      </td>
      <td data-label="Duration" className={styles.right}>
        <TaskDuration task={task} />
      </td>
    </tr>
  );
});
