'use client';
import { Stack } from '@mantine/core';
import { useMemo } from 'react';
import { GraphGrid } from '@/features/charts/components/graph-grid';
import { gpuGraphs, taskGraphs } from '@/features/charts/model/metric-catalogue';
import type { TaskDetailFragment } from '@/gql/graphql';

const MARGIN_MS = 5_000;

/** The whole life of the task, live while it runs. GPU graphs only if it held GPUs. */
export function TaskGraphs({ task }: { task: TaskDetailFragment }) {
  const from = (task.attempts.find((attempt) => attempt.startedAt)?.startedAt ?? task.createdAt) - MARGIN_MS;
  const to = task.finishedAt ? task.finishedAt + MARGIN_MS : null;
  const window = useMemo(() => ({ from, to }), [from, to]);
  const target = useMemo(() => ({ taskId: task.id }), [task.id]);
  const withGpus = task.attempts.some((attempt) => attempt.gpuIds.length > 0);
  return (
    <Stack gap="lg">
      <GraphGrid source="task" graphs={taskGraphs} target={target} window={window} />
      {withGpus ? <GraphGrid source="gpu" graphs={gpuGraphs} target={target} window={window} hideWhenEmpty /> : null}
    </Stack>
  );
}
