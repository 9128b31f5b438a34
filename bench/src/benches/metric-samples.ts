import type { ClickHouse } from '@gantry/clickhouse/clickhouse';
import type { ColumnValue } from '@gantry/clickhouse/tab-separated-rows';
import type { MetricBatch } from '@gantry/contracts/agents/metric-batch';

const GPUS = 8;
const SAMPLES = 5;
const INTERVAL_MS = 5_000;
const PER_DAY = 86_400_000 / INTERVAL_MS;
/** What a batch becomes in the tables. */
export const ROWS_PER_BATCH = GPUS * SAMPLES;
/** One statement's share of the data set, for bounded memory. */
const WORKERS_AT_ONCE = 25;

export const gpuColumns = [
  ...(['worker_id', 'gpu_id', 'task_id', 'gpu_index', 'model', 't', 'utilization_percent', 'memory_used_mb'] as const),
  ...(['temperature_c', 'power_watts', 'sm_clock_mhz', 'memory_clock_mhz', 'ecc_errors', 'memory_total_mb'] as const),
] as const;

/** 25 seconds of eight GPUs, values that wander like real ones. */
export function metricBatch(workerId: string, sequence: number, base: number): MetricBatch {
  const gpus = Array.from({ length: ROWS_PER_BATCH }, (_, at): MetricBatch['gpus'][number] => {
    const gpuIndex = at % GPUS;
    const step = sequence * SAMPLES + Math.floor(at / GPUS);
    return {
      gpuId: `GPU-${workerId}-${gpuIndex}`,
      gpuIndex,
      model: 'NVIDIA A100-SXM4-80GB',
      t: base + step * 50,
      utilizationPercent: (step * 7 + gpuIndex * 13) % 101,
      memoryUsedMb: 40_000 + ((step * 31) % 500),
      memoryTotalMb: 81_920,
      temperatureC: 50 + (step % 25),
      powerWatts: 250 + (step % 150) + 0.25,
      smClockMhz: 1_410 - (step % 3) * 15,
      memoryClockMhz: 1_593,
      eccErrors: 0,
      taskId: null,
    };
  });
  return { workerId, session: 'bench', sequence, gpus, host: [], tasks: [] };
}

export const gpuRows = (batch: MetricBatch): ColumnValue[][] =>
  batch.gpus.map((sample) => [
    ...[batch.workerId, sample.gpuId, sample.taskId ?? '', sample.gpuIndex, sample.model, sample.t],
    ...[sample.utilizationPercent, sample.memoryUsedMb, sample.temperatureC, sample.powerWatts, sample.smClockMhz],
    ...[sample.memoryClockMhz, sample.eccErrors, sample.memoryTotalMb],
  ]);

/** A day of samples of `workers` workers, made inside the engine: what is measured afterwards is reading. */
export async function fillWithSamples(clickhouse: ClickHouse, workers: number, from: number): Promise<void> {
  for (let first = 0; first < workers; first += WORKERS_AT_ONCE) {
    const here = Math.min(WORKERS_AT_ONCE, workers - first);
    await clickhouse.command(
      `INSERT INTO gpu_samples (${gpuColumns.join(', ')})
       SELECT concat('sampled-', toString(worker)), concat('GPU-', toString(worker), '-', toString(gpu)), '', gpu,
         'NVIDIA A100-SXM4-80GB', {from:Int64} + step * ${INTERVAL_MS}, (step * 7 + gpu * 13 + rand() % 20) % 101,
         40000 + rand() % 500, 50 + rand() % 25, 250 + (rand() % 600) / 4, 1410 - (rand() % 3) * 15, 1593, 0, 81920
       FROM (SELECT {first:UInt32} + intDiv(number, ${GPUS * PER_DAY}) AS worker,
         intDiv(number, ${PER_DAY}) % ${GPUS} AS gpu, number % ${PER_DAY} AS step FROM numbers({rows:UInt64}))`,
      { from, first, rows: here * GPUS * PER_DAY },
    );
  }
}
