import type { Outcome } from './run-bench.js';
import { type Conditions, conditionsLine } from './conditions.js';
import { figureTable, markdownTable } from './figure-table.js';

const begin = (name: string): string => `<!-- bench ${name} -->`;
const end = (name: string): string => `<!-- end ${name} -->`;

/** What one bench has to say on the page: its conditions, figures, further tables and notes. */
export function sectionOf({ bench, result, failure }: Outcome, conditions: Conditions): string {
  const parts = [`_${conditionsLine(conditions)}_`];
  if (result === undefined) return [...parts, `Not measured: ${(failure ?? '').split('\n')[0]}`].join('\n\n');
  if (result.figures.length > 0) parts.push(markdownTable(figureTable(result.figures)));
  for (const table of result.tables ?? []) parts.push(`${table.title}:`, markdownTable(table));
  if (result.notes !== undefined && result.notes.length > 0)
    parts.push(result.notes.map((note) => `- ${note}`).join('\n'));
  return [`**${bench.title}**`, ...parts].join('\n\n');
}

/** Replaces what stands between the marks of each bench; the text around them belongs to people. */
export function withSections(page: string, sections: ReadonlyMap<string, string>): string {
  let next = page;
  for (const [name, section] of sections) {
    const from = next.indexOf(begin(name));
    const to = next.indexOf(end(name));
    const block = `${begin(name)}\n\n${section}\n\n${end(name)}`;
    next =
      from < 0 || to < from
        ? `${next.trimEnd()}\n\n${block}\n`
        : `${next.slice(0, from)}${block}${next.slice(to + end(name).length)}`;
  }
  return next;
}
