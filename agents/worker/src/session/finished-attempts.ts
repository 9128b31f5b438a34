import { appendFileSync, closeSync, fdatasync, openSync, renameSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { z } from 'zod';
import { parseOrUndefined } from './attempt-journal.js';
import { textOf } from './small-file.js';

const finishedSchema = z.object({ key: z.string(), at: z.number() });
/** ASSIGN keeps a day; what is older can never be replayed. */
const REMEMBER_MS = 2 * 86_400_000;
const synced = promisify(fdatasync);

/** Attempts that are over, so that a replayed assignment never runs twice: a file of lines, which a loss of power must not shorten. */
export class FinishedAttempts {
  private readonly known = new Map<string, number>();
  private writing: Promise<void> = Promise.resolve();
  private waiting: Promise<void> | undefined;

  constructor(
    private readonly path: string,
    now: number,
    private readonly onWriteError: (error: unknown) => void,
  ) {
    for (const line of textOf(path).split('\n')) {
      const entry = finishedSchema.safeParse(parseOrUndefined(line));
      // A line that a crash cut short is as good as none.
      if (entry.success && now - entry.data.at < REMEMBER_MS) this.known.set(entry.data.key, entry.data.at);
    }
    this.tolerating(() => {
      writeFileSync(`${path}.new`, [...this.known].map(([key, at]) => lineOf(key, at)).join(''), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    });
  }

  has(key: string): boolean {
    return this.known.has(key);
  }

  /** Known at once, and to every later start of the agent; resolves when a loss of power cannot undo it either. Never rejects. */
  add(key: string, at: number): Promise<void> {
    if (this.known.has(key)) return this.onDisk();
    this.known.set(key, at);
    this.tolerating(() => appendFileSync(this.path, lineOf(key, at), { mode: 0o600 }));
    return this.onDisk();
  }

  /** Attempts that end together share one sync of the disk; one that has begun may have missed the newest line. */
  private onDisk(): Promise<void> {
    this.waiting ??= this.writing.then(() => {
      this.waiting = undefined;
      this.writing = toDisk(this.path).catch(this.onWriteError);
      return this.writing;
    });
    return this.waiting;
  }

  private tolerating(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.onWriteError(error);
    }
  }
}

async function toDisk(path: string): Promise<void> {
  const file = openSync(path, 'r+');
  try {
    await synced(file);
  } finally {
    closeSync(file);
  }
}

// A line begins where one that a full disk cut short has ended.
const lineOf = (key: string, at: number): string => `\n${JSON.stringify({ key, at })}`;
