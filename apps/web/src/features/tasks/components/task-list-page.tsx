'use client';
import { Alert, Button, Skeleton, Stack } from '@mantine/core';
import { PlusIcon, LayersIcon } from 'lucide-react';
import Link from 'next/link';
import { useState } from 'react';
import { EmptyState } from '@/components/ui/empty-state';
import { PageHeader } from '@/components/ui/page-header';
import { Panel } from '@/components/ui/panel';
import { ProblemPanel } from '@/components/ui/problem-panel';
import { formatCount } from '@/lib/format';
import { isFiltered } from '../model/task-query';
import { isFinal } from '../model/task-status';
import { TaskFilters } from './task-filters';
import { TaskTable } from './task-table';
import { useTaskActions } from './use-task-actions';
import { useTaskList } from './use-task-list';
import { useTaskQuery } from './use-task-query';

export function TaskListPage({ workers }: { workers: readonly { id: string; name: string }[] }) {
  const [query, setQuery] = useTaskQuery();
  const list = useTaskList(query);
  const actions = useTaskActions();
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const { rows, hasNextPage, unseen, degraded } = list.pages;
  // Rows that left the list are no longer selected.
  const selected = rows.filter((row) => picked.has(row.id));
  const cancellable = selected.filter((row) => !isFinal(row.status));

  const toggle = (id: string) =>
    setPicked(picked.has(id) ? new Set([...picked].filter((other) => other !== id)) : new Set([...picked, id]));
  const cancelSelected = async () => {
    if (await actions.cancelMany(cancellable)) setPicked(new Set());
  };

  return (
    <>
      <PageHeader
        title="Tasks"
        actions={
          <Button component={Link} href="/tasks/new" leftSection={<PlusIcon size={16} />}>
            Submit task
          </Button>
        }
      />
      <Stack gap="md">
        {degraded ? (
          <Alert color="yellow" title="Only active and recent tasks are listed">
            The history store does not answer. Older tasks come back when it does.
          </Alert>
        ) : null}
        <Panel flush>
          <TaskFilters query={query} workers={workers} onChange={setQuery} />
          {selected.length > 0 ? (
            <BulkBar
              count={selected.length}
              cancellable={cancellable.length}
              onCancel={() => void cancelSelected()}
              onClear={() => setPicked(new Set())}
            />
          ) : null}
          {unseen.size > 0 ? (
            <div style={{ padding: '8px 16px', borderBottom: '1px solid var(--gantry-line)' }} role="status">
              <Button size="compact-sm" variant="light" onClick={list.reload}>
                {`${formatCount(unseen.size)} new: show`}
              </Button>
            </div>
          ) : null}
          {rows.length > 0 ? (
            <TaskTable
              caption="Tasks"
              tasks={rows}
              selection={{
                ids: new Set(selected.map((row) => row.id)),
                toggle,
                toggleAll: () =>
                  setPicked(selected.length === rows.length ? new Set() : new Set(rows.map((row) => row.id))),
              }}
              sorting={{
                sort: query.sort,
                descending: query.descending,
                onSort: (sort) => setQuery({ sort, descending: sort === query.sort ? !query.descending : true }),
              }}
            />
          ) : list.phase === 'loading' ? (
            <TableSkeleton />
          ) : list.phase === 'failed' ? null : (
            <NothingHere
              filtered={isFiltered(query)}
              onClear={() => setQuery({ statuses: [], worker: null, tag: null, search: null })}
            />
          )}
          {list.phase === 'failed' ? <ProblemPanel error={list.error} onRetry={list.reload} /> : null}
        </Panel>
        {hasNextPage ? (
          <Button variant="default" onClick={list.more} loading={list.phase === 'more'} style={{ alignSelf: 'center' }}>
            Show more
          </Button>
        ) : null}
      </Stack>
    </>
  );
}

function BulkBar({
  count,
  cancellable,
  onCancel,
  onClear,
}: {
  count: number;
  cancellable: number;
  onCancel: () => void;
  onClear: () => void;
}) {
  return (
    <div
      role="region"
      aria-label="Selected tasks"
      style={{
        display: 'flex',
        flexWrap: 'wrap',
        alignItems: 'center',
        gap: 10,
        padding: '8px 16px',
        borderBottom: '1px solid var(--gantry-line)',
      }}
    >
      <span>{`${formatCount(count)} selected`}</span>
      <Button size="compact-sm" color="red.9" disabled={cancellable === 0} onClick={onCancel}>
        {`Cancel ${formatCount(cancellable)}`}
      </Button>
      <Button size="compact-sm" variant="subtle" onClick={onClear}>
        Select none
      </Button>
    </div>
  );
}

function NothingHere({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  if (filtered) {
    return (
      <EmptyState
        icon={<LayersIcon size={28} />}
        title="No task passes this filter"
        action={
          <Button variant="default" size="sm" onClick={onClear}>
            Clear the filter
          </Button>
        }
      >
        Change the filter above, or clear it to see all tasks.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={<LayersIcon size={28} />}
      title="No tasks yet"
      action={
        <Button component={Link} href="/tasks/new" size="sm">
          Submit the first task
        </Button>
      }
    >
      A task is one container: an image, a command and the resources it needs. Submit one and watch it here.
    </EmptyState>
  );
}

function TableSkeleton() {
  return (
    <Stack gap={10} p="md" role="status" aria-busy="true" aria-label="Loading tasks">
      {Array.from({ length: 8 }, (_, index) => (
        <Skeleton key={index} height={38} />
      ))}
    </Stack>
  );
}
