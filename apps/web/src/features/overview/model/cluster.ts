import { weightedMean, type Point } from '@/features/charts/model/series';
import type { WorkerRowFragment } from '@/gql/graphql';

/** Per cent of the cluster's cores and memory in use. Only workers that report now count; null without any. */
export function clusterUsage(
  workers: readonly Pick<WorkerRowFragment, 'status' | 'usage' | 'capacity'>[],
): { cpuPercent: number; memoryPercent: number } | null {
  const here = workers.filter(
    (worker) => worker.status === 'active' || worker.status === 'overloaded' || worker.status === 'leaving',
  );
  const cores = here.reduce((sum, worker) => sum + worker.capacity.cpu, 0);
  const memory = here.reduce((sum, worker) => sum + worker.capacity.memoryMb, 0);
  if (cores === 0 || memory === 0) return null;
  return {
    cpuPercent: here.reduce((sum, worker) => sum + worker.usage.cpuPercent * worker.capacity.cpu, 0) / cores,
    memoryPercent: (here.reduce((sum, worker) => sum + worker.usage.memoryUsedMb, 0) / memory) * 100,
  };
}

export interface WorkerHistory {
  readonly cores: number;
  readonly memoryMb: number;
  readonly cpu: readonly Point[];
  readonly memory: readonly Point[];
}

/** The same over time: at every moment over the workers that have a sample there. */
export function clusterHistory(workers: readonly WorkerHistory[]): { cpu: Point[]; memory: Point[] } {
  return {
    cpu: weightedMean(workers.map(({ cpu, cores }) => ({ points: cpu, weight: cores }))),
    memory: weightedMean(
      workers.map(({ memory, memoryMb }) => ({
        points: memory.map(([time, used]): Point => [
          time,
          used === null || memoryMb === 0 ? null : (used / memoryMb) * 100,
        ]),
        weight: memoryMb,
      })),
    ),
  };
}
