import Table from 'cli-table3';
import pc from 'picocolors';

/** Columns without borders, as `docker ps` and `kubectl get` print them. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const blank = [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
  ];
  const table = new Table({
    head: head.map((title) => pc.bold(title)),
    chars: { ...Object.fromEntries(blank.map((name) => [name, ''])), middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  console.log(table.toString());
}

export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}
