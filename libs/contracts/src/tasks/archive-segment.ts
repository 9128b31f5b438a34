import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';
import { GantryError } from '@gantry/kernel/gantry-error';
import { z } from 'zod';

/** One commit as TASKS held it, byte for byte. */
export interface ArchivedCommit {
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

/** Commits of one task, oldest first: all of them, or those that came after an earlier segment. */
export interface ArchivedTask {
  readonly taskId: string;
  readonly commits: readonly ArchivedCommit[];
}

/** Header of a segment: the hashes of its tasks, so that an index is read without the bodies. */
export const ARCHIVED_TASKS_HEADER = 'Gantry-Archived-Tasks';
/** What a reader gets back in one answer of the broker, in base64 and within the usual 1 MiB. */
export const MAX_SEGMENT_BYTES = 512 * 1024;

const HASH_BYTES = 8;
const LENGTH_BYTES = 4;
/** Above this the next levels cost several times as much for a tenth of the size. */
const QUALITY = 5;

const compress = promisify(brotliCompress);
const decompress = promisify(brotliDecompress);
const directorySchema = z.array(
  z.object({ taskId: z.string(), commits: z.array(z.tuple([z.number().int(), z.number().int()])) }),
);

/** 64 bits of a task's id; two tasks with the same ones are told apart by the segment itself. */
export function archiveHash(taskId: string): Uint8Array {
  return createHash('sha256').update(taskId).digest().subarray(0, HASH_BYTES);
}

export function archivedTasksHeader(tasks: readonly ArchivedTask[]): string {
  return Buffer.concat(tasks.map(({ taskId }) => archiveHash(taskId))).toString('base64');
}

export function hashesOf(header: string): Uint8Array[] {
  const bytes = Buffer.from(header, 'base64');
  const hashes: Uint8Array[] = [];
  for (let at = 0; at + HASH_BYTES <= bytes.length; at += HASH_BYTES) hashes.push(bytes.subarray(at, at + HASH_BYTES));
  return hashes;
}

/**
 * The body of a segment: the length of a directory (4 bytes, big-endian), the directory (JSON: task, and sequence and length of each
 * commit), then the commits one after the other; all of it compressed with brotli.
 */
export async function encodeSegment(tasks: readonly ArchivedTask[]): Promise<Uint8Array> {
  const directory: z.infer<typeof directorySchema> = tasks.map(({ taskId, commits }) => ({
    taskId,
    commits: commits.map(({ sequence, bytes }) => [sequence, bytes.length]),
  }));
  const head = Buffer.from(JSON.stringify(directory));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(head.length);
  const commits = tasks.flatMap((task) => task.commits.map(({ bytes }) => bytes));
  return await compress(Buffer.concat([length, head, ...commits]), {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    },
  });
}

export async function decodeSegment(body: Uint8Array): Promise<ArchivedTask[]> {
  try {
    const plain = await decompress(body);
    let at = LENGTH_BYTES + plain.readUInt32BE();
    const directory = directorySchema.parse(JSON.parse(plain.toString('utf8', LENGTH_BYTES, at)));
    return directory.map(({ taskId, commits }) => ({
      taskId,
      commits: commits.map(([sequence, length]) => {
        const bytes = plain.subarray(at, at + length);
        at += length;
        return { sequence, bytes };
      }),
    }));
  } catch (cause) {
    throw new GantryError(
      'ARCHIVE.UNREADABLE_SEGMENT',
      'internal',
      'A segment of stream ARCHIVE cannot be read. Restore the stream from a backup.',
      { retryable: false, cause },
    );
  }
}
