import type { GpuSpec } from '@gantry/contracts/agents/heartbeat';

/** What a task asks of each device. */
export interface DeviceDemand {
  readonly gpuCount: number;
  readonly gpuModel: string | undefined;
  readonly gpuMemoryMb: number;
}

/** Models are few and are compared for every device of every search. */
const lowerCased = new Map<string, string>();
const MAX_MODELS = 1_000;

function lowerCase(model: string): string {
  let lower = lowerCased.get(model);
  if (lower === undefined) {
    if (lowerCased.size >= MAX_MODELS) lowerCased.clear();
    lowerCased.set(model, (lower = model.toLowerCase()));
  }
  return lower;
}

export function deviceMatches(device: GpuSpec, demand: DeviceDemand): boolean {
  return (
    device.memoryMb >= demand.gpuMemoryMb &&
    (demand.gpuModel === undefined || lowerCase(device.model).includes(demand.gpuModel))
  );
}

export function countMatching(devices: readonly GpuSpec[], taken: ReadonlySet<string>, demand: DeviceDemand): number {
  let count = 0;
  for (const device of devices) if (!taken.has(device.id) && deviceMatches(device, demand)) count += 1;
  return count;
}

/**
 * The devices to reserve, or undefined if too few are free. Smallest sufficient memory first, so that large devices stay
 * free for those who need them; devices of one model together where one model has enough of them.
 */
export function selectDevices(
  devices: readonly GpuSpec[],
  taken: ReadonlySet<string>,
  demand: DeviceDemand,
): string[] | undefined {
  if (demand.gpuCount === 0) return [];
  const free = devices
    .filter((device) => !taken.has(device.id) && deviceMatches(device, demand))
    .sort((a, b) => a.memoryMb - b.memoryMb || compareText(a.model, b.model) || a.index - b.index);
  if (free.length < demand.gpuCount) return undefined;
  for (let start = 0; start + demand.gpuCount <= free.length; start += 1) {
    const run = free.slice(start, start + demand.gpuCount);
    if (run[0]!.model === run[run.length - 1]!.model && run[0]!.memoryMb === run[run.length - 1]!.memoryMb) {
      return run.map((device) => device.id);
    }
  }
  return free.slice(0, demand.gpuCount).map((device) => device.id);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
