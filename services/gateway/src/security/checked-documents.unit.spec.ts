import { buildSchema, GraphQLError } from 'graphql';
import { describe, expect, it } from 'vitest';
import { CheckedDocuments } from './checked-documents.js';
import { limitRule } from './graphql-limits.js';

const documents = (): CheckedDocuments =>
  new CheckedDocuments(buildSchema('type Query { a: Int b: Int }'), 50, limitRule());

describe('documents of subscriptions', () => {
  it('are checked once: who sends the same text gets the same document', () => {
    const checked = documents();
    const first = checked.check('{ a }');
    expect(first).toMatchObject({ kind: 'Document' });
    expect(checked.check('{ a }')).toBe(first);
    expect(checked.check('{ b }')).not.toBe(first);
  });

  it('that are wrong stay wrong however often they come', () => {
    const checked = documents();
    for (let round = 0; round < 2; round += 1) {
      expect(checked.check('{ nothing }')).toEqual([expect.any(GraphQLError)]);
      expect(() => checked.check('{ a')).toThrow(GraphQLError);
      expect(() => checked.check(`{ ${'a '.repeat(60)}}`)).toThrow(/token/i);
    }
  });

  it('of great length are not remembered', () => {
    const checked = documents();
    const long = `{ a } #${'x'.repeat(10_000)}`;
    expect(checked.check(long)).not.toBe(checked.check(long));
  });
});
