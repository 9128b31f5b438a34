import { z } from 'zod';
import { MAX_SPEC_BYTES, taskSpecSchema, type TaskSpecInput } from '@gantry/contracts/tasks/task-spec';
import { GantryError } from '@gantry/kernel/gantry-error';
import { invalidInput, parseInput } from '../../edge/parse-input.js';
import type { KeyValue } from './task-node.js';

/** Body of POST /api/tasks: the spec's fields, flat, and the key. */
export const submitBodySchema = z.strictObject({
  ...taskSpecSchema.shape,
  idempotencyKey: z.string().min(1).max(200).optional(),
});

export interface Submission {
  spec: TaskSpecInput;
  idempotencyKey?: string;
}

export function submissionFrom(body: unknown): Submission {
  const { idempotencyKey, ...spec } = parseInput(submitBodySchema, body);
  if (Buffer.byteLength(JSON.stringify(spec)) > MAX_SPEC_BYTES) {
    throw new GantryError(
      'INPUT.TOO_LARGE',
      'invalid',
      `The task is too large; at most ${MAX_SPEC_BYTES / 1024} KB of JSON are accepted. Put big inputs into the image.`,
    );
  }
  return { spec, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) };
}

/** GraphQL has no maps: they come as lists, in which a key must not stand twice. */
export function recordOf(pairs: readonly KeyValue[], path: string): Record<string, string> {
  const record = new Map<string, string>();
  pairs.forEach(({ key, value }, index) => {
    if (record.has(key)) throw invalidInput([{ path: `${path}.${index}.key`, message: `"${key}" is given twice.` }]);
    record.set(key, value);
  });
  return Object.fromEntries(record);
}
