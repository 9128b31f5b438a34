'use client';
import { Alert, Anchor, Skeleton, Stack } from '@mantine/core';
import Link from 'next/link';
import { CopyId } from '@/components/ui/copy-id';
import { Facts } from '@/components/ui/facts';
import { PageHeader } from '@/components/ui/page-header';
import { Panel } from '@/components/ui/panel';
import { ProblemPanel } from '@/components/ui/problem-panel';
import { RelativeTime } from '@/components/ui/relative-time';
import { StatusPill } from '@/components/ui/status-pill';
import type { WorkerRowFragment } from '@/gql/graphql';
import { formatCores, formatCount, formatMebibytes } from '@/lib/format';
import { workerStatusMeaning } from '../model/worker-status';
import { useWorker } from './use-workers';
import { WorkerGraphs } from './worker-graphs';
import { AllocationMeters, UsageMeters } from './worker-meters';
import { WorkerStatusPill } from './worker-status-pill';
import { WorkerTasks } from './worker-tasks';
import styles from './workers.module.css';

export function WorkerDetailPage({ id }: { id: string }) {
  const { worker, error, refetch } = useWorker(id);
  if (worker === undefined) {
    if (error === undefined) return <Skeleton height={480} aria-label="Loading the worker" />;
    return (
      <ProblemPanel
        error={error}
        onRetry={refetch}
        action={
          <Anchor component={Link} href="/workers">
            All workers
          </Anchor>
        }
      />
    );
  }
  return (
    <>
      <PageHeader
        title={worker.name}
        detail={
          <>
            <WorkerStatusPill status={worker.status} />
            <CopyId value={worker.id} label="worker id" />
            <span>
              heartbeat <RelativeTime time={worker.lastHeartbeatAt} />
            </span>
          </>
        }
      />
      {worker.status === 'active' ? null : (
        <Alert color={worker.status === 'lost' ? 'red' : 'yellow'} mb="md" p="sm">
          {workerStatusMeaning[worker.status]}
        </Alert>
      )}
      <div className={styles.columns}>
        <Stack gap="md" style={{ minWidth: 0 }}>
          <WorkerGraphs workerId={worker.id} withGpus={worker.gpus.length > 0} />
          <WorkerTasks workerId={worker.id} running={worker.running} />
        </Stack>
        <Stack gap="md" style={{ minWidth: 0 }}>
          <Panel title="In use">
            <UsageMeters worker={worker} />
          </Panel>
          <Panel title="Reserved by tasks">
            <AllocationMeters worker={worker} />
          </Panel>
          {worker.gpus.length > 0 ? <GpuList worker={worker} /> : null}
          <MachineFacts worker={worker} />
        </Stack>
      </div>
    </>
  );
}

function GpuList({ worker }: { worker: WorkerRowFragment }) {
  return (
    <Panel title={`GPUs (${worker.gpus.length})`}>
      {worker.gpus.map((gpu) => (
        <div key={gpu.id} className={styles.gpu}>
          <div style={{ minWidth: 0 }}>
            <div>{`${gpu.index}: ${gpu.model}`}</div>
            <div className={styles.spec}>{`${formatMebibytes(gpu.memoryMb)} · driver ${gpu.driver}`}</div>
          </div>
          <StatusPill tone={gpu.allocated ? 'busy' : 'neutral'} label={gpu.allocated ? 'Held' : 'Free'} />
        </div>
      ))}
    </Panel>
  );
}

function MachineFacts({ worker }: { worker: WorkerRowFragment }) {
  return (
    <Panel title="Machine">
      <Facts
        items={[
          { label: 'Host name', value: worker.hostname },
          { label: 'Address', value: <CopyId value={worker.address} label="address" /> },
          { label: 'Operating system', value: worker.os },
          { label: 'Runtime', value: `${worker.runtime} ${worker.runtimeVersion}` },
          { label: 'Agent', value: worker.agentVersion },
          { label: 'CPU', value: formatCores(worker.capacity.cpu) },
          { label: 'Memory', value: formatMebibytes(worker.capacity.memoryMb) },
          { label: 'Scratch space', value: formatMebibytes(worker.capacity.storageMb) },
          { label: 'Queues', value: worker.queues.length === 0 ? 'all' : worker.queues.join(', ') },
          { label: 'Up since', value: <RelativeTime time={worker.startedAt} /> },
          { label: 'Completed', value: formatCount(worker.completed) },
          { label: 'Failed', value: formatCount(worker.failed) },
          {
            label: 'Labels',
            wide: true,
            value:
              worker.labels.length === 0 ? (
                <span className="soft">none</span>
              ) : (
                <span className={styles.labels}>
                  {worker.labels.map(({ key, value }) => (
                    <span key={key} className={styles.label}>{`${key}=${value}`}</span>
                  ))}
                </span>
              ),
          },
        ]}
      />
    </Panel>
  );
}
