import { z } from 'zod';

/** Null where the device does not tell (`[N/A]`, MIG and the like): never a made-up zero. */
const optionalNumber = z.number().nullable();

export const gpuSampleSchema = z.object({
  gpuId: z.string(),
  gpuIndex: z.number().int(),
  model: z.string(),
  t: z.number().int(),
  /** 0-100. */
  utilizationPercent: optionalNumber,
  memoryUsedMb: optionalNumber,
  memoryTotalMb: optionalNumber,
  temperatureC: optionalNumber,
  powerWatts: optionalNumber,
  smClockMhz: optionalNumber,
  memoryClockMhz: optionalNumber,
  eccErrors: optionalNumber,
  /** Task that holds the device now. */
  taskId: z.string().nullable(),
});
export type GpuSample = z.infer<typeof gpuSampleSchema>;

export const hostSampleSchema = z.object({
  t: z.number().int(),
  /** 0-100 of all cores. */
  cpuPercent: z.number(),
  memoryUsedMb: z.number(),
  memoryTotalMb: z.number(),
  load1: z.number(),
  storageUsedMb: z.number(),
  storageTotalMb: z.number(),
  /** Rates over the time since the sample before. */
  networkRxBytesPerSecond: z.number(),
  networkTxBytesPerSecond: z.number(),
  diskReadBytesPerSecond: z.number(),
  diskWriteBytesPerSecond: z.number(),
});
export type HostSample = z.infer<typeof hostSampleSchema>;

export const taskSampleSchema = z.object({
  taskId: z.string(),
  attempt: z.number().int(),
  t: z.number().int(),
  /** 100 = one core. */
  cpuPercent: z.number(),
  memoryUsedMb: z.number(),
  memoryLimitMb: z.number(),
  networkRxBytesPerSecond: z.number(),
  networkTxBytesPerSecond: z.number(),
  diskReadBytesPerSecond: z.number(),
  diskWriteBytesPerSecond: z.number(),
  processes: z.number().int(),
});
export type TaskSample = z.infer<typeof taskSampleSchema>;

/** Message on `metrics.<workerId>`, plain JSON. Times are epoch milliseconds. */
export const metricBatchSchema = z.object({
  workerId: z.string(),
  session: z.string(),
  sequence: z.number().int(),
  gpus: z.array(gpuSampleSchema),
  host: z.array(hostSampleSchema),
  tasks: z.array(taskSampleSchema),
});
export type MetricBatch = z.infer<typeof metricBatchSchema>;
