import type { WorkerView } from '@gantry/contracts/scheduling/scheduler-requests';
import type { FleetWorker } from '../fleet/fleet.js';
import type { WorkerTotals } from '../ledger/reservation-ledger.js';

/** A worker as readers see it. */
export function workerView({ workerId, heartbeat, seenAt, status }: FleetWorker, reserved: WorkerTotals): WorkerView {
  return {
    id: workerId,
    status,
    spec: heartbeat.spec,
    usage: heartbeat.usage,
    allocated: { cpu: reserved.cpuCenti / 100, memoryMb: reserved.memoryMb, storageMb: reserved.storageMb },
    allocatedGpuIds: [...reserved.gpuIds].sort(),
    running: heartbeat.running,
    counters: heartbeat.counters,
    startedAt: heartbeat.startedAt,
    lastHeartbeatAt: seenAt,
  };
}
