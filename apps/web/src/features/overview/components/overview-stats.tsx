import { Skeleton } from '@mantine/core';
import type { HealthLiveSubscription, SummaryFieldsFragment, WorkerRowFragment } from '@/gql/graphql';
import { formatCount, formatDuration, formatPercent, shortNumber } from '@/lib/format';
import { clusterUsage } from '../model/cluster';
import { StatCard } from './stat-card';
import styles from './overview.module.css';

export interface OverviewStatsProps {
  summary: SummaryFieldsFragment | undefined;
  health: HealthLiveSubscription['health'] | undefined;
  workers: readonly WorkerRowFragment[] | undefined;
}

export function OverviewStats({ summary, health, workers }: OverviewStatsProps) {
  if (summary === undefined) {
    return (
      <div className={styles.stats} aria-busy="true" aria-label="Loading the numbers">
        {Array.from({ length: 10 }, (_, index) => (
          <Skeleton key={index} height={92} />
        ))}
      </div>
    );
  }
  const count = (...statuses: string[]) =>
    summary.byStatus.filter((each) => statuses.includes(each.status)).reduce((sum, each) => sum + each.count, 0);
  const usage = clusterUsage(workers ?? []);
  return (
    <div className={styles.stats}>
      <StatCard
        label="Active"
        tone="var(--status-running)"
        value={formatCount(count('assigned', 'starting', 'running'))}
        note="have a worker"
        href="/tasks?status=assigned,starting,running"
      />
      <StatCard
        label="Queued"
        tone="var(--status-queued)"
        value={formatCount(count('queued'))}
        note="wait for room"
        href="/tasks?status=queued"
      />
      <StatCard
        label="Completed"
        tone="var(--status-succeeded)"
        value={formatCount(count('succeeded'))}
        note={
          summary.averageDurationSeconds === null || summary.averageDurationSeconds === undefined
            ? 'succeeded'
            : `${formatDuration(summary.averageDurationSeconds * 1_000)} on average`
        }
        href="/tasks?status=succeeded"
      />
      <StatCard
        label="Failed"
        tone="var(--status-failed)"
        value={formatCount(count('failed', 'timed_out'))}
        note="or timed out"
        href="/tasks?status=failed,timed_out"
      />
      <StatCard
        label="Workers"
        value={`${formatCount(summary.activeWorkers)} / ${formatCount(summary.totalWorkers)}`}
        note="active of all"
        href="/workers"
      />
      <StatCard
        label="Last 24 h"
        value={formatCount(summary.last24h)}
        note={`of ${formatCount(summary.total)} in all`}
      />
      <StatCard
        label="Cluster CPU"
        value={usage === null ? '–' : formatPercent(usage.cpuPercent)}
        note="of all cores, now"
      />
      <StatCard
        label="Cluster memory"
        value={usage === null ? '–' : formatPercent(usage.memoryPercent)}
        note="in use, now"
      />
      <StatCard
        label="API latency"
        value={
          health?.latencyP50Ms === null || health?.latencyP50Ms === undefined
            ? '–'
            : `${shortNumber(health.latencyP50Ms)} ms`
        }
        note={
          health?.latencyP99Ms === null || health?.latencyP99Ms === undefined
            ? 'no requests lately'
            : `p99 ${shortNumber(health.latencyP99Ms)} ms`
        }
      />
      <StatCard
        label="API requests"
        value={health ? formatCount(health.httpRequests) : '–'}
        note={health ? `${formatCount(health.httpErrors)} errors` : 'not known'}
      />
    </div>
  );
}
