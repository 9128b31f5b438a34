import { describe, expect, it } from 'vitest';
import { GantryError, errorKinds } from './gantry-error.js';

describe('GantryError', () => {
  it('survives the wire', () => {
    const error = new GantryError('TASK.ALREADY_FINISHED', 'conflict', 'Submit it again.', {
      retryable: true,
      fields: [{ path: 'spec.resources.cpu', message: 'Ask for less.' }],
    });
    const back = GantryError.fromBody(JSON.parse(JSON.stringify(error.toBody())) as ReturnType<GantryError['toBody']>);
    expect(back).toBeInstanceOf(GantryError);
    expect(back.toBody()).toEqual(error.toBody());
    expect(back.message).toBe('Submit it again.');
  });

  it('is retryable when a part is unavailable, and only then, unless told otherwise', () => {
    const retryable = errorKinds.filter((kind) => new GantryError('X.Y', kind, 'm').retryable);
    expect(retryable).toEqual(['unavailable']);
    expect(new GantryError('X.Y', 'unavailable', 'm', { retryable: false }).retryable).toBe(false);
  });

  it('has no fields in its body when there are none', () => {
    expect(new GantryError('X.Y', 'invalid', 'm').toBody()).toEqual({
      code: 'X.Y',
      kind: 'invalid',
      message: 'm',
      retryable: false,
    });
  });

  it('keeps the text of a stranger to itself', () => {
    const body = GantryError.bodyOf(new Error('password is hunter2'));
    expect(body).toMatchObject({ code: 'INTERNAL', kind: 'internal', retryable: false });
    expect(JSON.stringify(body)).not.toContain('hunter2');
    expect(GantryError.bodyOf('just text')).toEqual(body);
    expect(GantryError.bodyOf(new GantryError('A.B', 'limit', 'm'))).toMatchObject({ code: 'A.B' });
  });

  it('keeps its cause for the log but out of its body', () => {
    const cause = new Error('detail');
    const error = new GantryError('A.B', 'internal', 'm', { cause });
    expect(error.cause).toBe(cause);
    expect(JSON.stringify(error.toBody())).not.toContain('detail');
  });
});
