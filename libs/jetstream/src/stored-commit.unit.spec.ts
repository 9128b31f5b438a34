import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { emptyCommitOf, storedCommitOf } from './stored-commit.js';

const message = (text: string) => ({ subject: 'counters.a', streamSequence: 7, bytes: Buffer.from(text) });
const commit = { id: 'c', aggregateId: 'a', version: 3, events: [{ type: 'Added', data: { amount: 2 } }] };
const schemas = { Added: z.object({ amount: z.number(), unit: z.string().default('piece') }) };

describe('a message of an event stream', () => {
  it('is the commit that it should be, with what its schema adds', () => {
    expect(storedCommitOf(message(JSON.stringify(commit)))).toEqual({
      commit,
      streamSequence: 7,
      subject: 'counters.a',
    });
    const [event] = storedCommitOf(message(JSON.stringify(commit)), schemas).commit.events;
    expect(event).toEqual({ type: 'Added', data: { amount: 2, unit: 'piece' } });
    const newer = { ...commit, events: [{ type: 'Newer', data: 1 }] };
    expect(storedCommitOf(message(JSON.stringify(newer)), schemas).commit.events).toEqual(newer.events);
  });

  it.each(['', 'secret', 'null', '[]', '{"version":1}', '{"aggregateId":"a","version":1,"events":[null]}'])(
    'that is no commit is refused without a word of it: %s',
    (text) => {
      const refused = expect(() => storedCommitOf(message(text)));
      refused.toThrow('The message is not a commit.');
    },
  );

  it('whose data does not fit is refused with the field', () => {
    const unfit = { ...commit, events: [{ type: 'Added', data: { amount: 'secret' } }] };
    expect(() => storedCommitOf(message(JSON.stringify(unfit)), schemas)).toThrow(
      'Event Added does not fit its contract (amount: Invalid input: expected number, received string).',
    );
  });

  it.each([
    ['a later version', '{"version":5}', 4, 5],
    ['an earlier one', '{"version":2}', 4, 4],
    ['none', 'garbage', 4, 4],
  ])('that tells %s keeps the place of one without events', (_what, text, previous, version) => {
    expect(emptyCommitOf('COUNTERS', message(text), previous)).toMatchObject({
      streamSequence: 7,
      commit: { stream: 'COUNTERS', aggregateId: 'a', version, events: [] },
    });
  });
});
