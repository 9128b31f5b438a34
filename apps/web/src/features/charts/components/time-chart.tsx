'use client';
import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import { formatDateTime } from '@/lib/format';
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
  /** Bytes: the axis steps in powers of two, as the labels do. */
  readonly binary?: boolean;
  readonly height?: number;
  /** Charts of one group share their cursor. */
  readonly group?: string;
}

const COLOURS = 6;

/** uPlot in React: made once per shape, then fed; data and range change without a new canvas. */
export default function TimeChart({
  title,
  data,
  series,
  from,
  to,
  max,
  binary = false,
  height = 150,
  group,
}: TimeChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const live = useRef({ data, from, to });
  live.current = { data, from, to };
  const [pointed, setPointed] = useState<number | null>(null);
  const scheme = useComputedColorScheme('light');
  // Formatters are constants of the metric catalogue: labels identify a shape.
  const shape = series.map((each) => each.label).join('|');

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const chart = new uPlot(
      options(element, series, { height, max, binary, group, window: () => live.current, onPoint: setPointed }),
      live.current.data,
      element,
    );
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
    // `shape` stands for `series`
  }, [shape, scheme, height, max, binary, group]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [data, from, to]);

  const time = pointed === null ? undefined : data[0][pointed];
  const values = series.map(({ label, format }, index) => ({
    label,
    text: valueText(data[index + 1], pointed, format),
  }));
  return (
    <div className={styles.chart}>
      <div
        ref={host}
        role="img"
        aria-label={`${title}: ${values.map(({ label, text }) => `${label} ${text}`).join(', ')}`}
      />
      <div className={styles.legend} aria-hidden="true">
        {values.map(({ label, text }, index) => (
          <span key={label} className={styles.entry}>
            <span className={styles.swatch} style={{ background: `var(--chart-${(index % COLOURS) + 1})` }} />
            {label} <b>{text}</b>
          </span>
        ))}
        {time === undefined ? null : <span className={styles.when}>{formatDateTime(time * 1_000)}</span>}
      </div>
    </div>
  );
}

/** The value under the pointer, or the newest one. */
function valueText(
  column: AlignedData[number] | undefined,
  pointed: number | null,
  format: (value: number) => string,
): string {
  const value = pointed === null ? column?.findLast((each) => each !== null && each !== undefined) : column?.[pointed];
  return value === null || value === undefined ? '–' : format(value);
}

interface Shape {
  height: number;
  max: number | undefined;
  binary: boolean;
  group: string | undefined;
  window: () => { from: number; to: number };
  onPoint: (index: number | null) => void;
}

const powersOfTwo = Array.from({ length: 50 }, (_, exponent) => 2 ** exponent);

function options(element: HTMLElement, series: readonly TimeChartSeries[], shape: Shape): uPlot.Options {
  const css = getComputedStyle(element);
  const colour = (name: string) => css.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--chart-axis'),
    grid: { stroke: colour('--chart-grid'), width: 1 },
    ticks: { show: false },
    font: `11px ${css.fontFamily}`,
  };
  const format = series[0]?.format ?? String;
  return {
    width: Math.max(100, element.clientWidth),
    height: shape.height,
    padding: [10, 8, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { size: 6 },
      drag: { x: false, y: false },
      ...(shape.group === undefined ? {} : { sync: { key: shape.group, setSeries: false } }),
    },
    hooks: { setCursor: [(plot) => shape.onPoint(plot.cursor.idx ?? null)] },
    scales: {
      x: { time: true, range: () => [shape.window().from / 1_000, shape.window().to / 1_000] },
      y: { range: (_, _low, high) => [0, shape.max ?? (high > 0 ? high * 1.1 : 1)] },
    },
    axes: [
      { ...axis, space: 70, size: 26, values: timeLabels },
      {
        ...axis,
        size: 68,
        space: 30,
        ...(shape.binary ? { incrs: powersOfTwo } : {}),
        values: (_, splits) => splits.map((value) => format(value)),
      },
    ],
    series: [
      {},
      ...series.map((each, index) => ({
        label: each.label,
        stroke: colour(`--chart-${(index % COLOURS) + 1}`),
        width: 1.6,
        // The tokens are #rrggbb; two more digits are the opacity.
        ...(series.length === 1 ? { fill: `${colour('--chart-1')}1f` } : {}),
        points: {
          show: true,
          size: 4,
          filter: (plot: uPlot, seriesIndex: number) => isolatedValues(plot.data[seriesIndex] ?? []),
        },
      })),
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
    if (span > 36 * 3_600 || (midnight && span > 3_600))
      return `${pad(date.getMonth() + 1)}-${pad(date.getDate())}${midnight ? '' : ` ${clock(split, false)}`}`;
    return clock(split, span < 600);
  });
}
