'use client';
import { Skeleton } from '@mantine/core';
import dynamic from 'next/dynamic';
import { useMemo } from 'react';
import { ProblemPanel } from '@/components/ui/problem-panel';
import type { SeriesSource } from '@/gql/graphql';
import { useNow } from '@/lib/use-now';
import type { Graph } from '../model/metric-catalogue';
import { alignSeries } from '../model/series';
import styles from './graph-grid.module.css';
import { useGraphs, type GraphSeries, type GraphTarget, type GraphWindow } from './use-graphs';

// uPlot is needed only where a graph is on the screen.
const TimeChart = dynamic(() => import('./time-chart'), { ssr: false, loading: () => <Skeleton height={172} /> });

export interface GraphGridProps {
  readonly source: SeriesSource;
  readonly graphs: readonly Graph[];
  readonly target: GraphTarget;
  readonly window: GraphWindow;
  /** GPU graphs have nothing to say on machines without GPUs. */
  readonly hideWhenEmpty?: boolean;
}

/** Graphs of one source, side by side, sharing their time axis and cursor. */
export function GraphGrid({ source, graphs, target, window, hideWhenEmpty = false }: GraphGridProps) {
  const { series, error, loading, refetch, bucketSeconds } = useGraphs(source, graphs, target, window);
  const now = useNow();
  const span = useMemo(() => Date.now() - window.from, [window.from]);
  // An open window slides with the clock; it moves in steps of 5 s, because every step draws all graphs again.
  const to = window.to ?? Math.max(Math.ceil(now / 5_000) * 5_000, window.from + 60_000);
  const from = window.to === null ? to - Math.max(span, 60_000) : window.from;

  if (error && series.length === 0) return <ProblemPanel error={error} onRetry={refetch} />;
  if (!loading && hideWhenEmpty && series.length === 0) return null;
  return (
    <div className={styles.grid}>
      {graphs.map((graph) => (
        <GraphCell
          key={graph.id}
          graph={graph}
          all={series}
          loading={loading}
          from={from}
          to={to}
          bucketMs={bucketSeconds * 1_000}
          group={`${source}-${target.taskId ?? target.workerId ?? ''}`}
        />
      ))}
    </div>
  );
}

interface CellProps {
  graph: Graph;
  all: readonly GraphSeries[];
  loading: boolean;
  from: number;
  to: number;
  bucketMs: number;
  group: string;
}

function GraphCell({ graph, all, loading, from, to, bucketMs, group }: CellProps) {
  const { data, series } = useMemo(() => {
    const own = graph.metrics.flatMap((metric) =>
      all
        .filter((each) => each.metric === metric.name)
        .map((each) => ({
          points: each.points,
          label: each.key === '' ? metric.label : each.label,
          format: metric.format,
        })),
    );
    return {
      data: alignSeries(
        own.map((each) => each.points),
        bucketMs,
      ),
      series: own,
    };
  }, [graph, all, bucketMs]);
  return (
    <figure className={styles.cell}>
      <figcaption className={styles.title}>{graph.title}</figcaption>
      {loading ? (
        <Skeleton height={172} />
      ) : data[0].length === 0 ? (
        <div className={styles.none}>No samples in this time.</div>
      ) : (
        <TimeChart
          title={graph.title}
          data={data}
          series={series}
          from={from}
          to={to}
          max={graph.max}
          binary={graph.binary ?? false}
          group={group}
        />
      )}
    </figure>
  );
}
