'use client';
import { SegmentedControl } from '@mantine/core';
import { ranges, type Range } from '../model/metric-catalogue';

export function RangePicker({
  value,
  options,
  onChange,
}: {
  value: Range;
  options: readonly Range[];
  onChange: (range: Range) => void;
}) {
  return (
    <SegmentedControl
      size="xs"
      aria-label="Time range"
      value={value}
      data={options.map((range) => ({ value: range, label: ranges[range].label }))}
      onChange={(next) => onChange(next)}
    />
  );
}
