import { z } from 'zod';
import { taskSortSchema, type ListPosition, type TaskSort } from '@gantry/contracts/tasks/task-requests';
import { invalidInput } from '../../edge/parse-input.js';

/** Where a walk through a list stands. `now` stays the same for all its pages, so that growing durations don't reorder it. */
export interface TaskListCursor {
  sort: TaskSort;
  descending: boolean;
  now: number;
  position: ListPosition;
}

const wireSchema = z.tuple([taskSortSchema, z.boolean(), z.int(), z.number(), z.uuid()]);

export function encodeCursor({ sort, descending, now, position }: TaskListCursor): string {
  return Buffer.from(JSON.stringify([sort, descending, now, position.value, position.id])).toString('base64url');
}

/** Refuses what it did not make, and a cursor of a walk in another order. */
export function decodeCursor(text: string, sort: TaskSort, descending: boolean): TaskListCursor {
  const cursor = parse(text);
  if (cursor === undefined)
    throw invalidInput([{ path: 'after', message: 'This is not a cursor of this list. Start from the first page.' }]);
  if (cursor.sort !== sort || cursor.descending !== descending) {
    throw invalidInput([
      { path: 'after', message: 'This cursor belongs to another order. Start from the first page.' },
    ]);
  }
  return cursor;
}

function parse(text: string): TaskListCursor | undefined {
  if (text.length > 500 || !/^[\w-]+$/.test(text)) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
  const parsed = wireSchema.safeParse(json);
  if (!parsed.success) return undefined;
  const [sort, descending, now, value, id] = parsed.data;
  return { sort, descending, now, position: { value, id } };
}
