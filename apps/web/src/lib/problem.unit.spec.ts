import { describe, expect, it } from 'vitest';
import { problemOf, ProblemError, problemOfStatus } from './problem';

describe('problemOf', () => {
  it('reads a GraphQL error with its fields', () => {
    const extensions = {
      code: 'INPUT.INVALID',
      kind: 'invalid',
      retryable: false,
      fields: [{ path: 'spec.name', message: 'Give it a name.' }, { odd: 1 }],
    };
    expect(problemOf({ errors: [{ message: 'Some fields are wrong.', extensions }] })).toEqual({
      code: 'INPUT.INVALID',
      kind: 'invalid',
      message: 'Some fields are wrong.',
      retryable: false,
      fields: [{ path: 'spec.name', message: 'Give it a name.' }],
    });
  });

  it('knows the framework’s codes and HTTP statuses', () => {
    expect(problemOf({ message: 'no', extensions: { code: 'UNAUTHENTICATED' } }).kind).toBe('unauthenticated');
    expect(problemOf({ statusCode: 401 }).kind).toBe('unauthenticated');
    expect(problemOfStatus(404).retryable).toBe(false);
  });

  it('tells an API that is away from other failures', () => {
    expect(problemOf(new TypeError('Failed to fetch')).code).toBe('NETWORK.UNREACHABLE');
    expect(problemOf(new Error('odd')).message).toBe('odd');
    expect(problemOf(undefined).code).toBe('UNKNOWN');
    const own = { code: 'X', kind: 'limit', message: 'm', retryable: false, fields: [] };
    expect(problemOf(new ProblemError(own))).toBe(own);
  });
});
