import { z } from 'zod';
import { GantryError, type FieldError } from '@gantry/kernel/gantry-error';

/** Parses what came from outside; a wrong field becomes `INPUT.INVALID` with its dotted path, without `prefix`. */
export function parseInput<S extends z.ZodType>(schema: S, value: unknown, prefix = ''): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidInput(parsed.error.issues.flatMap((issue) => fieldsOf(issue, prefix)));
}

export function invalidInput(fields: FieldError[]): GantryError {
  const first = fields[0];
  const message =
    first === undefined ? 'The input is wrong.' : first.path === '' ? first.message : `${first.path}: ${first.message}`;
  return new GantryError('INPUT.INVALID', 'invalid', message, { fields });
}

function fieldsOf(issue: z.core.$ZodIssue, prefix: string): FieldError[] {
  const path = issue.path.map(String).join('.');
  const shown =
    prefix !== '' && (path === prefix || path.startsWith(`${prefix}.`)) ? path.slice(prefix.length + 1) : path;
  if (issue.code !== 'unrecognized_keys') return [{ path: shown, message: issue.message }];
  return issue.keys.map((key) => ({
    path: shown === '' ? key : `${shown}.${key}`,
    message: 'There is no such field; check the spelling.',
  }));
}
