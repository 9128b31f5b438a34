import { Meter } from '@/components/ui/meter';
import type { WorkerRowFragment } from '@/gql/graphql';
import { formatMebibytesOf, formatPercent, shortNumber } from '@/lib/format';
import styles from './workers.module.css';

/** What the host really uses. */
export function UsageMeters({ worker }: { worker: WorkerRowFragment }) {
  const { usage, capacity } = worker;
  return (
    <div className={styles.meters}>
      <Meter label="CPU" value={usage.cpuPercent} max={100} text={formatPercent(usage.cpuPercent)} />
      <Meter
        label="Memory"
        value={usage.memoryUsedMb}
        max={capacity.memoryMb}
        text={formatMebibytesOf(usage.memoryUsedMb, capacity.memoryMb)}
      />
    </div>
  );
}

/** What tasks have reserved. */
export function AllocationMeters({ worker }: { worker: WorkerRowFragment }) {
  const { allocated, capacity, gpus } = worker;
  const held = gpus.filter((gpu) => gpu.allocated).length;
  return (
    <div className={styles.meters}>
      <Meter
        tone="reserve"
        label="CPU"
        value={allocated.cpu}
        max={capacity.cpu}
        text={`${shortNumber(allocated.cpu)} of ${shortNumber(capacity.cpu)} cores`}
      />
      <Meter
        tone="reserve"
        label="Memory"
        value={allocated.memoryMb}
        max={capacity.memoryMb}
        text={formatMebibytesOf(allocated.memoryMb, capacity.memoryMb)}
      />
      <Meter
        tone="reserve"
        label="Scratch"
        value={allocated.storageMb}
        max={capacity.storageMb}
        text={formatMebibytesOf(allocated.storageMb, capacity.storageMb)}
      />
      <Meter
        tone="reserve"
        label="Slots"
        value={worker.running.length}
        max={worker.maxTasks}
        text={`${worker.running.length} of ${worker.maxTasks}`}
      />
      {gpus.length > 0 ? (
        <Meter tone="reserve" label="GPUs" value={held} max={gpus.length} text={`${held} of ${gpus.length}`} />
      ) : null}
    </div>
  );
}
