import type { FieldErrors, Resolver } from 'react-hook-form';
import { mapProblems } from '../model/submit-fields';
import type { SubmitValues } from '../model/submit-values';

/** The server's rules as a form resolver. They come with their first use: the page itself stays light. */
export const submitResolver: Resolver<SubmitValues> = async (values) => {
  const { checkSubmit } = await import('../model/submit-check');
  const { fields, rest } = mapProblems(checkSubmit(values), values);
  if (fields.length === 0 && rest.length === 0) return { values, errors: {} };
  const errors: Record<string, unknown> = {};
  for (const { field, message } of fields) place(errors, field.split('.'), { type: 'rule', message });
  if (fields.length === 0) errors['root'] = { type: 'rule', message: rest.map((problem) => problem.message).join(' ') };
  return { values: {}, errors: errors as FieldErrors<SubmitValues> };
};

function place(
  target: Record<string, unknown>,
  path: readonly string[],
  error: { type: string; message: string },
): void {
  const [head = '', ...rest] = path;
  if (rest.length === 0) {
    target[head] = { ...(target[head] as object | undefined), ...error };
    return;
  }
  target[head] ??= {};
  place(target[head] as Record<string, unknown>, rest, error);
}
