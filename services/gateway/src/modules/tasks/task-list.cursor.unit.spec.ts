import { expect, it } from 'vitest';
import { decodeCursor, encodeCursor, type TaskListCursor } from './task-list.cursor.js';

const cursor: TaskListCursor = {
  sort: 'duration',
  descending: false,
  now: 5,
  position: { value: 1.5, id: '00000000-0000-7000-8000-000000000001' },
};

it('comes back as it was', () => {
  expect(decodeCursor(encodeCursor(cursor), 'duration', false)).toEqual(cursor);
});

it.each([
  '',
  'abc',
  '!',
  'x'.repeat(501),
  Buffer.from('[]').toString('base64url'),
  Buffer.from('["created",true,1,1,"x"]').toString('base64url'),
])('refuses %s', (text) => {
  expect(() => decodeCursor(text, 'created', true)).toThrowError(expect.objectContaining({ code: 'INPUT.INVALID' }));
});

it('refuses a cursor of another order', () => {
  expect(() => decodeCursor(encodeCursor(cursor), 'duration', true)).toThrowError(/another order/);
  expect(() => decodeCursor(encodeCursor(cursor), 'created', false)).toThrowError(/another order/);
});
