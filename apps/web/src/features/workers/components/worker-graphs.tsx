'use client';
import { Stack } from '@mantine/core';
import { parseAsStringLiteral, useQueryState } from 'nuqs';
import { useMemo } from 'react';
import { Panel } from '@/components/ui/panel';
import { GraphGrid } from '@/features/charts/components/graph-grid';
import { RangePicker } from '@/features/charts/components/range-picker';
import { gpuGraphs, hostGraphs, ranges } from '@/features/charts/model/metric-catalogue';

const options = ['1h', '6h', '24h', '7d'] as const;

export function WorkerGraphs({ workerId, withGpus }: { workerId: string; withGpus: boolean }) {
  const [range, setRange] = useQueryState('range', parseAsStringLiteral(options).withDefault('1h'));
  const window = useMemo(() => ({ from: Date.now() - ranges[range].ms, to: null }), [range]);
  const target = useMemo(() => ({ workerId }), [workerId]);
  return (
    <Panel
      title="Resources over time"
      aside={
        <RangePicker
          value={range}
          options={options}
          onChange={(next) => void setRange(options.find((option) => option === next) ?? '1h')}
        />
      }
    >
      <Stack gap="lg">
        <GraphGrid source="host" graphs={hostGraphs} target={target} window={window} />
        {withGpus ? <GraphGrid source="gpu" graphs={gpuGraphs} target={target} window={window} hideWhenEmpty /> : null}
      </Stack>
    </Panel>
  );
}
