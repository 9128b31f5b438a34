'use client';
import { Alert, Button, Skeleton, Stack } from '@mantine/core';
import { PlusIcon } from 'lucide-react';
import dynamic from 'next/dynamic';
import Link from 'next/link';
import { PageHeader } from '@/components/ui/page-header';
import { Panel } from '@/components/ui/panel';
import { ProblemPanel } from '@/components/ui/problem-panel';
import { HourBars } from '@/features/charts/components/hour-bars';
import { StatusDoughnut } from '@/features/charts/components/status-doughnut';
import { allStatuses, statusLabel } from '@/features/tasks/model/task-status';
import { useWorkers } from '@/features/workers/components/use-workers';
import { HealthPanel } from './health-panel';
import { OverviewStats } from './overview-stats';
import { RecentTasks } from './recent-tasks';
import { useHealth, useSummary } from './use-overview';
import styles from './overview.module.css';

const ClusterChart = dynamic(() => import('./cluster-chart').then((module) => module.ClusterChart), {
  ssr: false,
  loading: () => <Skeleton height={200} />,
});

export function OverviewPage() {
  const { summary, error, refetch } = useSummary();
  const { health, error: healthError, refetch: refetchHealth } = useHealth();
  const { workers } = useWorkers();
  return (
    <>
      <PageHeader
        title="Overview"
        actions={
          <Button component={Link} href="/tasks/new" leftSection={<PlusIcon size={16} />}>
            Submit task
          </Button>
        }
      />
      <Stack gap="md">
        {summary?.degraded ? (
          <Alert color="yellow" title="Totals count only recent tasks">
            The history store does not answer. The full numbers come back when it does.
          </Alert>
        ) : null}
        {summary === undefined && error ? (
          <Panel>
            <ProblemPanel error={error} onRetry={refetch} />
          </Panel>
        ) : (
          <OverviewStats summary={summary} health={health} workers={workers} />
        )}
        <div className={styles.charts}>
          <Panel title="Tasks by status">
            {summary ? (
              <StatusDoughnut
                unit="tasks"
                slices={allStatuses.map((status) => ({
                  key: status,
                  label: statusLabel[status],
                  value: summary.byStatus.find((each) => each.status === status)?.count ?? 0,
                  color: `var(--status-${status})`,
                }))}
              />
            ) : (
              <Skeleton height={200} />
            )}
          </Panel>
          <Panel title="Tasks per hour, last 24 h">
            {summary ? <HourBars hours={summary.perHour} /> : <Skeleton height={200} />}
          </Panel>
          <Panel title="Cluster CPU and memory">
            <ClusterChart workers={workers} />
          </Panel>
        </div>
        <RecentTasks />
        {health ? (
          <HealthPanel health={health} />
        ) : healthError ? (
          <Panel title="Health">
            <ProblemPanel error={healthError} onRetry={refetchHealth} />
          </Panel>
        ) : null}
      </Stack>
    </>
  );
}
