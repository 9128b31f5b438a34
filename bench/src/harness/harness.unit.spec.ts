import { describe, expect, it } from 'vitest';
import type { Bench } from './bench.port.js';
import { figureTable, markdownTable, readable } from './figure-table.js';
import { sectionOf, withSections } from './performance-page.js';
import { measured, percentile, ratioOf, spreadOf } from './spread.js';

const conditions = { date: '2026-01-01', cores: 2, memoryGib: 4, loadBefore: 0, versions: { Node: '20' } };
const bench: Bench = { name: 'x', title: 'X', limitSeconds: 1, run: () => Promise.reject(new Error('unused')) };

describe('measuring', () => {
  it('leaves the warm-up out and gives median and range', async () => {
    let round = 0;
    const spread = await measured({ warmUp: 2, rounds: 3 }, () => Promise.resolve((round += 1)));
    expect(spread).toEqual({ median: 4, min: 3, max: 5, rounds: 3 });
    expect(ratioOf(spread, spreadOf([2]))).toBe(2);
    expect(percentile([1, 2, 3, 4], 0.5)).toBe(2.5);
  });
});

describe('the page', () => {
  const figure = { what: 'tasks', unit: '/s', ours: spreadOf([1_000, 1_234.5]), goal: '>= 1,000' };
  const outcome = { bench, seconds: 1, result: { figures: [figure], notes: ['one core'] }, failure: undefined };

  it('shows three digits, the range, and the peer beside', () => {
    const beside = { name: 'peer', value: spreadOf([500]) };
    const table = markdownTable(figureTable([{ ...figure, beside, ratio: 2.2345 }]));
    expect(table.split('\n')[2]).toBe(
      '| tasks | /s   | 1,120 (1,000-1,230)    | peer          | 500                | 2.23  | >= 1,000 |',
    );
    expect(readable(Number.NaN)).toBe('-');
  });

  it('has a column for what others publish where there is any', () => {
    const [head, , first, second] = markdownTable(figureTable([{ ...figure, reference: '700/s' }, figure])).split('\n');
    expect(head).toMatch(/\| goal +\| published by others \|$/);
    expect(first).toMatch(/\| >= 1,000 +\| 700\/s +\|$/);
    expect(second).toMatch(/\| >= 1,000 +\| +\|$/);
  });

  it('replaces what stands between the marks and leaves the rest alone', () => {
    const page = '# P\n\nwords\n\n<!-- bench x -->\nold\n<!-- end x -->\n\nmore words\n';
    const once = withSections(page, new Map([['x', sectionOf(outcome, conditions)]]));
    expect(once).toContain('1,120 (1,000-1,230)');
    expect(once).toContain('- one core');
    expect(once).not.toContain('old');
    expect(once.startsWith('# P\n\nwords\n')).toBe(true);
    expect(once.endsWith('\n\nmore words\n')).toBe(true);
    expect(withSections(once, new Map([['x', sectionOf(outcome, conditions)]]))).toBe(once);
  });

  it('says that a bench failed instead of keeping older figures', () => {
    const failed = sectionOf({ ...outcome, result: undefined, failure: 'no engine\n at run' }, conditions);
    expect(withSections('<!-- bench x -->\n999\n<!-- end x -->\n', new Map([['x', failed]]))).toContain(
      'Not measured: no engine',
    );
  });
});
