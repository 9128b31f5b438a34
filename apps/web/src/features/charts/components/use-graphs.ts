'use client';
import { useQuery, useApolloClient } from '@apollo/client/react';
import { useEffect, useMemo, useState } from 'react';
import { MetricSeriesDocument, MetricsLiveDocument, type SeriesSource } from '@/gql/graphql';
import { useConnection } from '@/lib/api-context';
import { samplesOf, type Sample } from '../model/live-samples';
import type { Graph } from '../model/metric-catalogue';
import { LiveSeries, parsePoints, type Point } from '../model/series';

export interface GraphTarget {
  readonly workerId?: string;
  readonly taskId?: string;
}

export interface GraphSeries {
  readonly metric: string;
  readonly key: string;
  readonly label: string;
  readonly points: readonly Point[];
}

export interface GraphWindow {
  /** Epoch ms. `to` null = up to now, with live samples. */
  readonly from: number;
  readonly to: number | null;
}

const FLUSH_MS = 1_000;

/** History of one source's metrics and, while the window is open at its end, the live samples after it. Nothing goes through Apollo's cache. */
export function useGraphs(source: SeriesSource, graphs: readonly Graph[], target: GraphTarget, window: GraphWindow) {
  const { epoch } = useConnection();
  const metrics = useMemo(
    () => [...new Set(graphs.flatMap((graph) => graph.metrics.map((metric) => metric.name)))],
    [graphs],
  );
  // Fixed per window, or every render would ask anew. A re-connection asks again: what happened meanwhile is history now.
  // `epoch` is a reason to ask again
  const askedTo = useMemo(() => window.to ?? Date.now(), [window.from, window.to, epoch]);
  const { data, previousData, error, loading, refetch } = useQuery(MetricSeriesDocument, {
    variables: {
      source,
      metrics,
      workerId: target.workerId ?? null,
      taskId: target.taskId ?? null,
      from: window.from,
      to: askedTo,
    },
    fetchPolicy: 'no-cache',
  });
  const history = (data ?? previousData)?.series;
  const live = useLiveSeries(source, graphs, target, window, history);
  return {
    series: live,
    error,
    loading: loading && history === undefined,
    refetch: () => void refetch(),
    bucketSeconds: history?.bucketSeconds ?? 5,
  };
}

interface History {
  readonly bucketSeconds: number;
  readonly series: readonly {
    readonly metric: string;
    readonly key: string;
    readonly label: string;
    readonly points: unknown;
  }[];
}

interface Entry {
  metric: string;
  key: string;
  label: string;
  series: LiveSeries;
}

function useLiveSeries(
  source: SeriesSource,
  graphs: readonly Graph[],
  target: GraphTarget,
  window: GraphWindow,
  history: History | undefined,
) {
  const client = useApolloClient();
  const [shown, setShown] = useState<readonly GraphSeries[]>([]);
  const { workerId, taskId } = target;
  const { from, to } = window;

  useEffect(() => {
    if (history === undefined) {
      setShown([]);
      return;
    }
    const bucketMs = Math.max(1, history.bucketSeconds) * 1_000;
    const entries = new Map<string, Entry>(
      history.series.map(({ metric, key, label, points }) => [
        `${metric}/${key}`,
        { metric, key, label, series: new LiveSeries(parsePoints(points), bucketMs) },
      ]),
    );
    const publish = () =>
      setShown([...entries.values()].map(({ series, ...entry }) => ({ ...entry, points: series.toPoints() })));
    publish();
    if (to !== null) return;

    const metrics = graphs.flatMap((graph) => graph.metrics);
    const take = (sample: Sample): boolean => {
      if (sample.source !== source || (taskId !== undefined && sample.taskId !== taskId)) return false;
      let changed = false;
      for (const metric of metrics) {
        const value = sample.values[metric.live];
        if (typeof value !== 'number') continue;
        const id = `${metric.name}/${sample.key}`;
        let entry = entries.get(id);
        if (entry === undefined) {
          entry = { metric: metric.name, key: sample.key, label: sample.label, series: new LiveSeries([], bucketMs) };
          entries.set(id, entry);
        }
        changed = entry.series.add(sample.time, value) || changed;
      }
      return changed;
    };
    let dirty = false;
    const timer = setInterval(() => {
      if (dirty) publish();
      dirty = false;
    }, FLUSH_MS);
    const subscription = client
      .subscribe({
        query: MetricsLiveDocument,
        variables: { workerId: taskId === undefined ? (workerId ?? null) : null, taskId: taskId ?? null },
        fetchPolicy: 'no-cache',
      })
      .subscribe({
        next: ({ data }) => {
          if (data?.metrics) for (const sample of samplesOf(data.metrics)) dirty = take(sample) || dirty;
        },
        // History stays on the screen; the header says that the live channel is away.
        error: () => undefined,
      });
    return () => {
      clearInterval(timer);
      subscription.unsubscribe();
    };
  }, [client, source, graphs, workerId, taskId, from, to, history]);

  return shown;
}
