'use client';
import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { isolatedValues, type AlignedData } from '../model/series';
import styles from './time-chart.module.css';

export interface TimeChartSeries {
  readonly label: string;
  readonly format: (value: number) => string;
}

export interface TimeChartProps {
  readonly title: string;
  readonly data: AlignedData;
  readonly series: readonly TimeChartSeries[];
  /** Epoch ms; the axis keeps this range whether or not there is data at its ends. */
  readonly from: number;
  readonly to: number;
  readonly max?: number | undefined;
  readonly height?: number;
  /** Charts of one group share their cursor. */
  readonly group?: string;
}

/** uPlot in React: made once per shape, then fed; data and range change without a new canvas. */
export default function TimeChart({ title, data, series, from, to, max, height = 150, group }: TimeChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const live = useRef({ data, from, to });
  live.current = { data, from, to };
  const scheme = useComputedColorScheme('light');
  // Formatters are constants of the metric catalogue: labels identify a shape.
  const shape = series.map((each) => each.label).join('|');

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const chart = new uPlot(options(element, series, { height, max, group, window: () => live.current }), live.current.data as uPlot.AlignedData, element);
    plot.current = chart;
    const resized = new ResizeObserver(() => {
      if (element.clientWidth > 0) chart.setSize({ width: element.clientWidth, height });
    });
    resized.observe(element);
    return () => {
      resized.disconnect();
      chart.destroy();
      plot.current = null;
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `shape` stands for `series`
  }, [shape, scheme, height, max, group]);

  useEffect(() => {
    plot.current?.setData(data as uPlot.AlignedData);
  }, [data, from, to]);

  return <div ref={host} className={styles.chart} role="img" aria-label={`${title}: ${describe(data, series)}`} />;
}

/** What the picture says, for those who cannot see it: the newest values. */
function describe(data: AlignedData, series: readonly TimeChartSeries[]): string {
  return series
    .map(({ label, format }, index) => {
      const last = data[index + 1]?.findLast((value) => value !== null && value !== undefined);
      return `${label} ${last === null || last === undefined ? 'no data' : format(last)}`;
    })
    .join(', ');
}

interface Shape {
  height: number;
  max: number | undefined;
  group: string | undefined;
  window: () => { from: number; to: number };
}

function options(element: HTMLElement, series: readonly TimeChartSeries[], shape: Shape): uPlot.Options {
  const css = getComputedStyle(element);
  const colour = (name: string) => css.getPropertyValue(name).trim();
  const axis = { stroke: colour('--chart-axis'), grid: { stroke: colour('--chart-grid'), width: 1 }, ticks: { show: false }, font: `11px ${css.fontFamily}` };
  const format = series[0]?.format ?? String;
  return {
    width: Math.max(100, element.clientWidth),
    height: shape.height,
    padding: [8, 8, 0, 0],
    legend: { live: true },
    cursor: {
      points: { size: 6 },
      drag: { x: false, y: false },
      ...(shape.group === undefined ? {} : { sync: { key: shape.group, setSeries: false } }),
    },
    scales: {
      x: { time: true, range: () => [shape.window().from / 1_000, shape.window().to / 1_000] },
      y: { range: (_, _low, high) => [0, shape.max ?? (high > 0 ? high * 1.1 : 1)] },
    },
    axes: [
      { ...axis, space: 70, values: timeLabels },
      { ...axis, size: 72, space: 34, values: (_, splits) => splits.map((value) => format(value)) },
    ],
    series: [
      { value: (_, time) => (time === null ? '–' : clock(time, true)) },
      ...series.map((each, index) => ({
        label: each.label,
        stroke: colour(`--chart-${(index % 6) + 1}`),
        width: 1.6,
        // The tokens are #rrggbb; two more digits are the opacity.
        fill: series.length === 1 ? `${colour('--chart-1')}1f` : undefined,
        points: { show: true, size: 4, filter: (plot: uPlot, seriesIndex: number) => isolatedValues(plot.data[seriesIndex] ?? []) },
        value: (_: uPlot, value: number | null) => (value === null || value === undefined ? '–' : each.format(value)),
      })) as uPlot.Series[],
    ],
  };
}

const pad = (value: number) => String(value).padStart(2, '0');

function clock(seconds: number, withSeconds: boolean): string {
  const date = new Date(seconds * 1_000);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}${withSeconds ? `:${pad(date.getSeconds())}` : ''}`;
}

function timeLabels(plot: uPlot, splits: number[]): string[] {
  const span = (plot.scales['x']?.max ?? 0) - (plot.scales['x']?.min ?? 0);
  return splits.map((split) => {
    const date = new Date(split * 1_000);
    const midnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
    if (span > 36 * 3_600 || (midnight && span > 3_600)) return `${date.getMonth() + 1}-${pad(date.getDate())}${midnight ? '' : ` ${clock(split, false)}`}`;
    return clock(split, span < 600);
  });
}
