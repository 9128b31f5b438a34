import { StatusPill } from '@/components/ui/status-pill';
import type { WorkerStatus } from '@/gql/graphql';
import { workerStatusLabel, workerStatusTone } from '../model/worker-status';

export function WorkerStatusPill({ status }: { status: WorkerStatus }) {
  return <StatusPill testId="worker-status" tone={workerStatusTone[status]} label={workerStatusLabel[status]} />;
}
