import { describe, expect, it } from 'vitest';
import {
  archivedTasksHeader,
  archiveHash,
  decodeSegment,
  encodeSegment,
  hashesOf,
  type ArchivedTask,
} from './archive-segment.js';

const text = (value: string): Uint8Array => Buffer.from(value);
const tasks: ArchivedTask[] = [
  {
    taskId: 'a',
    commits: [
      { sequence: 3, bytes: text('{"ü":"first"}') },
      { sequence: 9, bytes: text('second\n') },
    ],
  },
  { taskId: 'b', commits: [{ sequence: 2 ** 40, bytes: text('') }] },
];

/** `tasks` as the first version wrote it. */
const firstVersion =
  'H24AAMTnu3mc4OdrTbBAxhzWO7Ys2IBzjzGebDDc5bay7dSEEC9+MZMcug0clKCo93UdnxtOHKtU1lIa29RMU0ZZqAZZsm1dlg3FNE2DSmnK0hf/BweWgCXLAQ==';

describe('a segment', () => {
  it('gives back every commit byte for byte, with its place in the stream', async () => {
    const read = await decodeSegment(await encodeSegment(tasks));
    expect(read.map(({ taskId, commits }) => [taskId, commits.map(({ sequence }) => sequence)])).toEqual([
      ['a', [3, 9]],
      ['b', [2 ** 40]],
    ]);
    for (const [index, { commits }] of read.entries())
      for (const [at, { bytes }] of commits.entries())
        expect(Buffer.from(bytes).equals(Buffer.from(tasks[index]!.commits[at]!.bytes))).toBe(true);
  });

  it('of the first version is read for ever', async () => {
    expect(await decodeSegment(Buffer.from(firstVersion, 'base64'))).toEqual(tasks);
  });

  it('names its tasks in a header by hashes that stay the same for ever', () => {
    expect(hashesOf(archivedTasksHeader(tasks)).map((hash) => Buffer.from(hash).toString('hex'))).toEqual([
      'ca978112ca1bbdca',
      '3e23e8160039594a',
    ]);
    expect(Buffer.from(archiveHash('a')).toString('hex')).toBe('ca978112ca1bbdca');
  });

  it('that is damaged is an error that says so', async () => {
    const body = await encodeSegment(tasks);
    await expect(decodeSegment(body.subarray(0, body.length - 4))).rejects.toMatchObject({
      code: 'ARCHIVE.UNREADABLE_SEGMENT',
    });
    await expect(decodeSegment(text('not compressed'))).rejects.toMatchObject({ code: 'ARCHIVE.UNREADABLE_SEGMENT' });
  });
});
