import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { authEventSchemas } from '../auth/auth-events.js';
import { commitSchema } from '../messaging/commit.js';
import { assignEventSchemas, schedEventSchemas } from '../scheduling/assign-events.js';
import { taskEventSchemas } from '../tasks/task-events.js';

type Golden = Record<string, Record<string, unknown>>;
const read = (name: string) => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8')) as Golden;
const golden = read('./events.v1.json');
const withOptionalFields = read('./events.v1-optional-fields.json');

const schemas: Record<string, Readonly<Record<string, z.ZodType>>> = {
  TASKS: taskEventSchemas,
  ASSIGN: assignEventSchemas,
  SCHED: schedEventSchemas,
  AUTH: authEventSchemas,
};

/**
 * Streams are kept for ever: what was stored in version 1 must decode for ever, with every field. When an event changes, this
 * file stays as it is and gets a neighbour (`events.v2.json`). Optional fields that came later are in
 * `events.v1-optional-fields.json`: events without them decode as before.
 */
describe('golden events, version 1', () => {
  for (const [stream, byType] of Object.entries(schemas)) {
    it(`${stream} has a golden event of every type`, () => {
      expect(Object.keys(golden[stream] ?? {}).sort()).toEqual(Object.keys(byType).sort());
    });

    for (const [type, schema] of Object.entries(byType)) {
      it(`${stream} ${type} decodes with every field and encodes back to the same JSON`, () => {
        const stored = golden[stream]?.[type];
        expect(stored).toBeDefined();
        const decoded = schema.parse(stored);
        expect(decoded).toEqual(stored);
        expect(JSON.parse(JSON.stringify(decoded))).toEqual(stored);
      });

      it(`${stream} ${type} refuses data without its first field`, () => {
        const [first = '', ...rest] = Object.keys(golden[stream]?.[type] as object);
        const incomplete = Object.fromEntries(
          rest.map((key) => [key, (golden[stream]?.[type] as Record<string, unknown>)[key]]),
        );
        expect(schema.safeParse(incomplete).success, `${first} should be required`).toBe(false);
      });
    }
  }

  for (const [stream, byType] of Object.entries(withOptionalFields)) {
    it.each(Object.entries(byType))(`${stream} %s decodes with the fields that came later`, (type, stored) => {
      expect(schemas[stream]?.[type]?.parse(stored)).toEqual(stored);
    });
  }

  it('decodes the commit around them', () => {
    expect(commitSchema.parse(golden['commit'])).toEqual(golden['commit']);
    expect(commitSchema.safeParse({ ...golden['commit'], events: [] }).success).toBe(false);
    expect(commitSchema.safeParse({ ...golden['commit'], version: 0 }).success).toBe(false);
  });
});
