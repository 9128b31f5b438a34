import type { FieldProblem } from '@/lib/problem';
import { submitRules } from './submit-rules';
import { argvOf, toSubmitInput, type Pair, type SubmitValues } from './submit-values';

/**
 * What the server would refuse, found before the round trip. Loaded on first use: the rules bring all of zod with them.
 */
export function checkSubmit(values: SubmitValues): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const argv = argvOf(values);
  if (!argv.ok) problems.push({ path: 'command', message: argv.message });
  for (const head of ['env', 'labels', 'workerLabels'] as const) problems.push(...repeatedKeys(head, values[head]));

  const { idempotencyKey: _, env, labels, workerLabels, ...rest } = toSubmitInput(values, '');
  const spec = { ...rest, env: record(env), labels: record(labels), workerLabels: record(workerLabels) };
  const result = submitRules.safeParse(spec);
  if (!result.success) {
    for (const issue of result.error.issues) {
      // A wrong key of a record reports the rule inside.
      const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
      problems.push({ path: `spec.${issue.path.join('.')}`, message });
    }
  }
  return problems;
}

const record = (pairs: readonly Pair[] | null | undefined) =>
  Object.fromEntries((pairs ?? []).map(({ key, value }) => [key, value]));

function repeatedKeys(head: string, pairs: readonly Pair[]): FieldProblem[] {
  const seen = new Set<string>();
  return pairs.flatMap(({ key: written, value }, index) => {
    const key = written.trim();
    if (key === '') return value === '' ? [] : [{ path: `${head}.${index}.key`, message: 'Name it.' }];
    if (seen.has(key)) return [{ path: `${head}.${index}.key`, message: `"${key}" is there twice.` }];
    seen.add(key);
    return [];
  });
}
