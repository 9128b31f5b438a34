import type { MetricBatch } from '@gantry/contracts/agents/metric-batch';

export const gpuSample = (
  t: number,
  value: number | null,
  change: Partial<MetricBatch['gpus'][number]> = {},
): MetricBatch['gpus'][number] => ({
  gpuId: 'GPU-0',
  gpuIndex: 0,
  model: 'NVIDIA A100',
  t,
  utilizationPercent: value,
  memoryUsedMb: 100,
  memoryTotalMb: 40_000,
  temperatureC: 50,
  powerWatts: 250.5,
  smClockMhz: null,
  memoryClockMhz: null,
  eccErrors: null,
  taskId: null,
  ...change,
});
export const hostSample = (t: number, cpuPercent: number): MetricBatch['host'][number] => ({
  t,
  cpuPercent,
  memoryUsedMb: 2_000,
  memoryTotalMb: 8_000,
  load1: 0.5,
  storageUsedMb: 1,
  storageTotalMb: 2,
  networkRxBytesPerSecond: 1,
  networkTxBytesPerSecond: 2,
  diskReadBytesPerSecond: 3,
  diskWriteBytesPerSecond: 4,
});
export const taskSample = (
  taskId: string,
  t: number,
  cpuPercent: number,
  attempt = 1,
): MetricBatch['tasks'][number] => ({
  taskId,
  attempt,
  t,
  cpuPercent,
  memoryUsedMb: 64,
  memoryLimitMb: 256,
  networkRxBytesPerSecond: 0,
  networkTxBytesPerSecond: 0,
  diskReadBytesPerSecond: 0,
  diskWriteBytesPerSecond: 0,
  processes: 3,
});
