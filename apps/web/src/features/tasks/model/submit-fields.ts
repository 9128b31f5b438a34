import type { FieldProblem } from '@/lib/problem';
import type { SubmitValues } from './submit-values';

/** Where in the form a wrong field of the spec is shown. */
export type SubmitField =
  | Exclude<keyof SubmitValues, 'commandMode' | 'commandArguments'>
  | `${'env' | 'labels' | 'workerLabels'}.${number}.${'key' | 'value'}`;

const plain: Record<string, SubmitField> = {
  name: 'name',
  description: 'description',
  image: 'image',
  command: 'commandLine',
  'resources.cpu': 'cpu',
  'resources.memoryMb': 'memoryMb',
  'resources.storageMb': 'storageMb',
  'resources.gpu': 'gpuCount',
  'resources.gpu.count': 'gpuCount',
  'resources.gpu.model': 'gpuModel',
  'resources.gpu.memoryMb': 'gpuMemoryMb',
  tags: 'tags',
  env: 'env',
  labels: 'labels',
  workerLabels: 'workerLabels',
  queue: 'queue',
  priority: 'priority',
  timeoutSeconds: 'timeoutSeconds',
  retries: 'retries',
  retryMemoryFactor: 'retryMemoryFactor',
  retryMemoryMaxMb: 'retryMemoryMaxMb',
  leaseSeconds: 'leaseSeconds',
  network: 'network',
};

/**
 * Maps a path of the API (`spec.resources.cpu`, `input.name`, `spec.env.FOO`, `input.env.0.key`) to a field of the form;
 * null when no field can show it.
 */
export function fieldOfPath(path: string, values: SubmitValues): SubmitField | null {
  const bare = path.replace(/^(?:spec|input|variables)\./, '').replace(/^input\./, '');
  const exact = plain[bare];
  if (exact !== undefined) return exact;
  const [head = '', ...rest] = bare.split('.');
  if (head === 'command' || head === 'tags') return plain[head] ?? null;
  if (head === 'env' || head === 'labels' || head === 'workerLabels') {
    // As a record (`env.FOO`) the rest is the key, dots included; as a list it is an index and a column.
    const key = rest.join('.');
    const byKey = values[head].findIndex((pair) => pair.key.trim() === key);
    if (byKey >= 0) return `${head}.${byKey}.key`;
    const index = Number(rest[0]);
    if (Number.isInteger(index) && index >= 0 && index < values[head].length)
      return `${head}.${index}.${rest[1] === 'value' ? 'value' : 'key'}`;
    return head;
  }
  return null;
}

export interface MappedProblems {
  readonly fields: readonly { readonly field: SubmitField; readonly message: string }[];
  /** What no field can show. */
  readonly rest: readonly FieldProblem[];
}

export function mapProblems(problems: readonly FieldProblem[], values: SubmitValues): MappedProblems {
  const fields: { field: SubmitField; message: string }[] = [];
  const rest: FieldProblem[] = [];
  for (const problem of problems) {
    const field = fieldOfPath(problem.path, values);
    if (field === null) rest.push(problem);
    else if (!fields.some((known) => known.field === field)) fields.push({ field, message: problem.message });
  }
  return { fields, rest };
}
