import type { TaskSpec } from '@gantry/contracts/tasks/task-spec';

/**
 * All that decides whether a task fits a worker. Tasks of equal shape are interchangeable for placement, so what is
 * learned about one ("does not fit there") holds for all of them. CPU is in hundredths of a core: sums of integers are exact.
 */
export interface Shape {
  readonly key: string;
  readonly cpuCenti: number;
  readonly memoryMb: number;
  readonly storageMb: number;
  readonly gpuCount: number;
  /** Lower case; a device matches if its model contains it. */
  readonly gpuModel: string | undefined;
  readonly gpuMemoryMb: number;
  readonly queue: string;
  readonly labels: readonly (readonly [string, string])[];
}

/** Free room of a worker, or the least that some shapes ask for. */
export type Room = Pick<Shape, 'cpuCenti' | 'memoryMb' | 'storageMb' | 'gpuCount'>;

export function cpuCentiOf(cores: number): number {
  return Math.round(cores * 100);
}

export function shapeOf(spec: Pick<TaskSpec, 'resources' | 'workerLabels' | 'queue'>): Shape {
  const { resources, queue } = spec;
  const { gpu } = resources;
  const cpuCenti = Math.ceil(resources.cpu * 100 - 1e-6);
  const labels = Object.entries(spec.workerLabels).sort(([a], [b]) => (a < b ? -1 : 1));
  const gpuModel = gpu.count > 0 ? gpu.model?.toLowerCase() : undefined;
  const gpuMemoryMb = gpu.count > 0 ? (gpu.memoryMb ?? 0) : 0;
  const parts = [cpuCenti, resources.memoryMb, resources.storageMb, gpu.count, gpuModel ?? '', gpuMemoryMb, queue];
  return {
    key: labels.length === 0 ? parts.join('|') : `${parts.join('|')}|${JSON.stringify(labels)}`,
    cpuCenti,
    memoryMb: resources.memoryMb,
    storageMb: resources.storageMb,
    gpuCount: gpu.count,
    gpuModel,
    gpuMemoryMb,
    queue,
    labels,
  };
}
