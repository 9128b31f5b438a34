import type { Figure, FreeTable } from './bench.port.js';
import type { Spread } from './spread.js';

/** Three significant digits, thousands separated: what a median of a few rounds can bear. */
export function readable(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const rounded = value === 0 ? 0 : Number(value.toPrecision(3));
  return rounded.toLocaleString('en-US', { maximumFractionDigits: 3 });
}

export function withRange({ median, min, max, rounds }: Spread): string {
  return rounds > 1 ? `${readable(median)} (${readable(min)}-${readable(max)})` : readable(median);
}

/** Median and range of ours and of what stands beside it. */
export function figureTable(figures: readonly Figure[]): FreeTable {
  const referenced = figures.some(({ reference }) => reference !== undefined);
  const columns = ['what', 'unit', 'Gantry: median (range)', 'floor or peer', 'its median (range)', 'ratio', 'goal'];
  return {
    title: '',
    columns: [...columns, ...(referenced ? ['published by others'] : [])],
    rows: figures.map(({ what, unit, ours, beside, ratio, goal, reference }) => [
      what,
      unit,
      withRange(ours),
      beside?.name ?? '',
      beside === undefined ? '' : withRange(beside.value),
      ratio === undefined ? '' : readable(ratio),
      goal ?? '',
      ...(referenced ? [reference ?? ''] : []),
    ]),
  };
}

export function markdownTable({ columns, rows }: FreeTable): string {
  const cells = [columns, ...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? readable(cell) : cell)))];
  const widths = columns.map((_, column) => Math.max(3, ...cells.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  const [head = [], ...body] = cells;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(line)].join('\n');
}
