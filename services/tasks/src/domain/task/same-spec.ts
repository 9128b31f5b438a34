import type { TaskSpec } from '@gantry/contracts/tasks/task-spec';

/** Whether two specs ask for the same, whatever the order of their keys. */
export function sameSpec(a: TaskSpec, b: TaskSpec): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)))
      : part,
  );
}
