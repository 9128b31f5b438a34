'use client';
import { Anchor, Code, Skeleton } from '@mantine/core';
import { ServerIcon } from 'lucide-react';
import Link from 'next/link';
import { EmptyState } from '@/components/ui/empty-state';
import { PageHeader } from '@/components/ui/page-header';
import { Panel } from '@/components/ui/panel';
import { ProblemPanel } from '@/components/ui/problem-panel';
import { RelativeTime } from '@/components/ui/relative-time';
import type { WorkerRowFragment } from '@/gql/graphql';
import { formatCount, formatMebibytes, shortNumber } from '@/lib/format';
import { useWorkers } from './use-workers';
import { AllocationMeters, UsageMeters } from './worker-meters';
import { WorkerStatusPill } from './worker-status-pill';
import styles from './workers.module.css';

export function WorkersPage() {
  const { workers, error, refetch } = useWorkers();
  const takes = workers?.filter((worker) => worker.status === 'active').length ?? 0;
  return (
    <>
      <PageHeader
        title="Workers"
        detail={
          workers && workers.length > 0 ? (
            <span>{`${formatCount(takes)} of ${formatCount(workers.length)} take tasks`}</span>
          ) : null
        }
      />
      {workers === undefined ? (
        error ? (
          <Panel>
            <ProblemPanel error={error} onRetry={refetch} />
          </Panel>
        ) : (
          <div className={styles.grid} aria-busy="true" aria-label="Loading workers">
            {[0, 1, 2].map((index) => (
              <Skeleton key={index} height={290} />
            ))}
          </div>
        )
      ) : workers.length === 0 ? (
        <Panel>
          <EmptyState icon={<ServerIcon size={28} />} title="No workers yet">
            A worker appears here as soon as its agent reaches the broker. On one machine <Code>npm start</Code> starts
            one; on others run the agent with the broker’s address.
          </EmptyState>
        </Panel>
      ) : (
        <div className={styles.grid}>
          {[...workers]
            .sort((left, right) => left.name.localeCompare(right.name))
            .map((worker) => (
              <WorkerCard key={worker.id} worker={worker} />
            ))}
        </div>
      )}
    </>
  );
}

function WorkerCard({ worker }: { worker: WorkerRowFragment }) {
  const away = worker.status === 'lost' || worker.status === 'inactive';
  return (
    <article className={styles.card} data-away={away || undefined} aria-label={worker.name}>
      <div className={styles.head}>
        <div>
          <Anchor component={Link} href={`/workers/${worker.id}`} className={styles.name}>
            {worker.name}
          </Anchor>
          <div className={styles.spec}>
            {`${shortNumber(worker.capacity.cpu)} cores · ${formatMebibytes(worker.capacity.memoryMb)} · ${worker.runtime}${gpuWords(worker)}`}
          </div>
        </div>
        <WorkerStatusPill status={worker.status} />
      </div>
      <div className={styles.pairs}>
        <div>
          <h3 className={styles.subtitle}>In use</h3>
          <UsageMeters worker={worker} />
        </div>
        <div>
          <h3 className={styles.subtitle}>Reserved</h3>
          <AllocationMeters worker={worker} />
        </div>
      </div>
      <div className={styles.foot}>
        <span>{`${formatCount(worker.completed)} completed`}</span>
        <span>{`${formatCount(worker.failed)} failed`}</span>
        <span>
          heartbeat <RelativeTime time={worker.lastHeartbeatAt} />
        </span>
      </div>
    </article>
  );
}

function gpuWords(worker: WorkerRowFragment): string {
  const model = worker.gpus[0]?.model;
  return model === undefined ? '' : ` · ${worker.gpus.length} × ${model}`;
}
