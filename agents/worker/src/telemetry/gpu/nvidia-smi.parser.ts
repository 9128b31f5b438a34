/** Columns of one `nvidia-smi --query-gpu` line, in this order; the parser relies on it. */
export const gpuQueryFields = [
  'index',
  'uuid',
  'driver_version',
  'utilization.gpu',
  'memory.used',
  'memory.total',
  'temperature.gpu',
  'power.draw',
  'clocks.sm',
  'clocks.mem',
  'ecc.errors.uncorrected.volatile.total',
  // Last, because it is the only one that could hold a comma.
  'name',
] as const;

export interface GpuReading {
  readonly index: number;
  readonly id: string;
  readonly model: string;
  readonly driver: string;
  readonly utilizationPercent: number | null;
  readonly memoryUsedMb: number | null;
  readonly memoryTotalMb: number | null;
  readonly temperatureC: number | null;
  readonly powerWatts: number | null;
  readonly smClockMhz: number | null;
  readonly memoryClockMhz: number | null;
  readonly eccErrors: number | null;
}

/** A number, or null for `[N/A]`, `N/A`, `[Not Supported]`, `[Unknown Error]` and whatever else is none. */
export function parseGpuNumber(text: string): number | null {
  const trimmed = text.trim();
  if (!/^-?\d+(\.\d+)?( ?(%|MiB|W|MHz|C))?$/.test(trimmed)) return null;
  return Number.parseFloat(trimmed);
}

/** One line of `--format=csv,noheader,nounits`; undefined for anything else the tool says (warnings, errors). */
export function parseGpuLine(line: string): GpuReading | undefined {
  const columns = line.split(',').map((column) => column.trim());
  if (columns.length < gpuQueryFields.length) return undefined;
  const [
    index = '',
    id = '',
    driver = '',
    utilization = '',
    used = '',
    total = '',
    temperature = '',
    power = '',
    sm = '',
    memory = '',
    ecc = '',
  ] = columns;
  if (!/^\d+$/.test(index) || !/^(GPU|MIG)-/.test(id)) return undefined;
  return {
    index: Number(index),
    id,
    model: columns.slice(gpuQueryFields.length - 1).join(', '),
    driver,
    utilizationPercent: parseGpuNumber(utilization),
    memoryUsedMb: parseGpuNumber(used),
    memoryTotalMb: parseGpuNumber(total),
    temperatureC: parseGpuNumber(temperature),
    powerWatts: parseGpuNumber(power),
    smClockMhz: parseGpuNumber(sm),
    memoryClockMhz: parseGpuNumber(memory),
    eccErrors: parseGpuNumber(ecc),
  };
}
