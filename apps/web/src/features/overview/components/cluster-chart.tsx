'use client';
import { useApolloClient } from '@apollo/client/react';
import { Skeleton } from '@mantine/core';
import { useEffect, useMemo, useRef, useState } from 'react';
import TimeChart from '@/features/charts/components/time-chart';
import { alignSeries, LiveSeries, parsePoints, type Point } from '@/features/charts/model/series';
import { MetricSeriesDocument, type WorkerRowFragment } from '@/gql/graphql';
import { useConnection } from '@/lib/api-context';
import { formatPercent } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { clusterHistory, clusterUsage } from '../model/cluster';

const SPAN_MS = 15 * 60_000;
const BUCKET_SECONDS = 10;
/** History is one request per worker; a larger fleet starts its chart empty and fills it live. */
const MOST_WORKERS = 24;
const series = [
  { label: 'CPU', format: formatPercent },
  { label: 'Memory', format: formatPercent },
];

/** The last quarter of an hour of the whole cluster: history from the server, then what the workers report. */
export function ClusterChart({ workers }: { workers: readonly WorkerRowFragment[] | undefined }) {
  const history = useClusterHistory(workers);
  const now = useNow();
  const live = useRef<{ cpu: LiveSeries; memory: LiveSeries; of: unknown }>(null);
  if (history !== null && live.current?.of !== history) {
    live.current = {
      cpu: new LiveSeries(history.cpu, BUCKET_SECONDS * 1_000),
      memory: new LiveSeries(history.memory, BUCKET_SECONDS * 1_000),
      of: history,
    };
  }
  const [data, setData] = useState(() => alignSeries([[], []], BUCKET_SECONDS * 1_000));

  useEffect(() => {
    const current = live.current;
    if (current === null) return;
    const usage = workers === undefined ? null : clusterUsage(workers);
    if (usage !== null) {
      current.cpu.add(Date.now(), usage.cpuPercent);
      current.memory.add(Date.now(), usage.memoryPercent);
    }
    for (const each of [current.cpu, current.memory]) each.dropBefore(Date.now() - SPAN_MS);
    setData(alignSeries([current.cpu.toPoints(), current.memory.toPoints()], BUCKET_SECONDS * 1_000));
  }, [workers, history]);

  const to = Math.ceil(now / 5_000) * 5_000;
  if (history === null || workers === undefined) return <Skeleton height={200} />;
  return (
    <TimeChart
      title="Cluster CPU and memory"
      data={data}
      series={series}
      from={to - SPAN_MS}
      to={to}
      max={100}
      height={170}
    />
  );
}

function useClusterHistory(
  workers: readonly WorkerRowFragment[] | undefined,
): { cpu: Point[]; memory: Point[] } | null {
  const client = useApolloClient();
  const { epoch } = useConnection();
  const [history, setHistory] = useState<{ cpu: Point[]; memory: Point[] } | null>(null);
  const key = useMemo(
    () =>
      workers
        ?.map((worker) => `${worker.id}/${worker.capacity.cpu}/${worker.capacity.memoryMb}`)
        .sort()
        .join(' '),
    [workers],
  );
  const latest = useRef(workers);
  latest.current = workers;

  useEffect(() => {
    const known = latest.current;
    if (key === undefined || known === undefined) return undefined;
    let current = true;
    const to = Date.now();
    const read = async (worker: WorkerRowFragment) => {
      const { data } = await client.query({
        query: MetricSeriesDocument,
        variables: {
          source: 'host',
          workerId: worker.id,
          metrics: ['cpu_percent', 'memory_used_mb'],
          from: to - SPAN_MS,
          to,
          bucketSeconds: BUCKET_SECONDS,
        },
        fetchPolicy: 'no-cache',
      });
      const points = (metric: string) =>
        parsePoints(data?.series.series.find((each) => each.metric === metric)?.points);
      return {
        cores: worker.capacity.cpu,
        memoryMb: worker.capacity.memoryMb,
        cpu: points('cpu_percent'),
        memory: points('memory_used_mb'),
      };
    };
    const asked = known.length <= MOST_WORKERS ? known : [];
    // A worker without history only leaves a hole; the chart goes on live.
    void Promise.allSettled(asked.map(read)).then((results) => {
      if (current)
        setHistory(clusterHistory(results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))));
    });
    return () => {
      current = false;
    };
  }, [client, key, epoch]);
  return history;
}
