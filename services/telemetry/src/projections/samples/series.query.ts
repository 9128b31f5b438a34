import type { QueryParameters } from '@gantry/clickhouse/clickhouse';
import type { ParsedInputOf } from '@gantry/contracts/messaging/request';
import type { getSeries } from '@gantry/contracts/telemetry/telemetry-requests';
import { GantryError } from '@gantry/kernel/gantry-error';
import { type SampleSource, sampleSources, tableOf } from '../../domain/series/sample-sources.js';
import type { SeriesPlan } from '../../domain/series/series-plan.js';

export type SeriesInput = ParsedInputOf<typeof getSeries>;

export interface SeriesQuery {
  sql: string;
  parameters: QueryParameters;
}

interface Charted {
  readonly source: SampleSource;
  /** Of all workers together, from this table. */
  readonly fleetTable?: string;
}

const charted: Record<SeriesInput['source']['kind'], Charted> = {
  host: { source: sampleSources.host },
  task: { source: sampleSources.task },
  gpu: { source: sampleSources.gpu },
  fleet_host: { source: sampleSources.host, fleetTable: sampleSources.host.fleetTable },
  fleet_gpu: { source: sampleSources.gpu, fleetTable: sampleSources.gpu.fleetTable },
};

/** Its samples are kept by the minute only. */
export const isFleet = ({ source }: SeriesInput): boolean => charted[source.kind].fleetTable !== undefined;

/** Refuses what the source does not measure. Only names that pass here are written into a statement. */
export function checkSeriesInput(input: SeriesInput): void {
  const { source } = input;
  const known = charted[source.kind].source.metrics;
  const unknown = input.metrics.filter((metric) => !known.includes(metric));
  if (unknown.length > 0) {
    throw invalid('metrics', `A ${source.kind} has no ${unknown.join(', ')}. Ask for ${known.join(', ')}.`);
  }
  if (source.kind === 'gpu' && source.workerId === undefined && source.taskId === undefined) {
    throw invalid('source', 'Name a worker or a task.');
  }
  if (input.to <= input.from) throw invalid('to', 'The end must come after the start.');
}

/** Rows: key, label parts, bucket start in epoch ms, then one average per metric (null = no sample). */
export function seriesQuery(input: SeriesInput, plan: SeriesPlan): SeriesQuery {
  const { source, fleetTable } = charted[input.source.kind];
  const raw = plan.resolution === 'raw';
  const time = raw ? 't' : 'bucket';
  const { conditions, parameters } = filterOf(input.source);
  const gpu = input.source.kind === 'gpu';
  const averages = input.metrics.map((metric) =>
    raw ? `avg(${metric})` : `sum(${metric}_sum) / nullIf(sum(${metric}_count), 0)`,
  );
  return {
    sql: `SELECT ${gpu ? 'gpu_id' : "''"} AS key, ${gpu ? 'any(gpu_index), any(model)' : "0, ''"},
        intDiv(${time}, {width:Int64}) * {width:Int64} AS start,
        ${averages.map((average) => `round(${average}, 3)`).join(', ')}
      FROM ${fleetTable ?? tableOf(source, plan.resolution)} FINAL
      WHERE ${[...conditions, `${time} >= {from:Int64}`, `${time} < {to:Int64}`].join(' AND ')}
      GROUP BY key, start
      ORDER BY key, start`,
    parameters: { ...parameters, width: plan.bucketSeconds * 1_000, from: plan.from, to: plan.to },
  };
}

function filterOf(source: SeriesInput['source']): { conditions: string[]; parameters: QueryParameters } {
  const conditions: string[] = [];
  const parameters: QueryParameters = {};
  const equal = (column: string, type: string, value: string | number | undefined) => {
    if (value === undefined) return;
    conditions.push(`${column} = {${column}:${type}}`);
    parameters[column] = value;
  };
  if ('workerId' in source) equal('worker_id', 'String', source.workerId);
  if ('taskId' in source) equal('task_id', 'String', source.taskId);
  if ('attempt' in source) equal('attempt', 'UInt32', source.attempt);
  return { conditions, parameters };
}

function invalid(path: string, message: string): GantryError {
  return new GantryError('INPUT.INVALID', 'invalid', message, { fields: [{ path, message }] });
}
