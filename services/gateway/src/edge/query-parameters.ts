import { invalidInput } from './parse-input.js';

type Kind = 'text' | 'number' | 'flag' | 'list';
type ValueOf<K extends Kind> = K extends 'text'
  ? string
  : K extends 'number'
    ? number
    : K extends 'flag'
      ? boolean
      : string[];
export type Parameters<Shape extends Readonly<Record<string, Kind>>> = { [Key in keyof Shape]?: ValueOf<Shape[Key]> };

/** `?a=1&b=x,y` as typed values; unknown names, repeated single values and malformed numbers are refused. */
export function queryParameters<const Shape extends Readonly<Record<string, Kind>>>(
  query: unknown,
  shape: Shape,
): Parameters<Shape> {
  const result: Record<string, unknown> = {};
  for (const [name, raw] of Object.entries((query ?? {}) as Record<string, unknown>)) {
    const kind = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (kind === undefined) {
      // A download link carries its ticket here; the guard has dealt with it.
      if (name === 'ticket') continue;
      throw invalidInput([{ path: name, message: 'There is no such parameter; see /api/docs.' }]);
    }
    const values = (Array.isArray(raw) ? raw : [raw]).map(String);
    result[name] =
      kind === 'list'
        ? values.flatMap((value) => value.split(',')).filter((value) => value !== '')
        : single(name, kind, values);
  }
  return result as Parameters<Shape>;
}

function single(name: string, kind: Exclude<Kind, 'list'>, values: string[]): string | number | boolean {
  const [value] = values;
  if (value === undefined || values.length > 1) throw invalidInput([{ path: name, message: 'Give it once.' }]);
  if (kind === 'text') return value;
  if (kind === 'flag') {
    if (value === '' || value === '1' || value === 'true') return true;
    if (value === '0' || value === 'false') return false;
    throw invalidInput([{ path: name, message: 'Write true or false.' }]);
  }
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number)) throw invalidInput([{ path: name, message: 'Write a number.' }]);
  return number;
}
