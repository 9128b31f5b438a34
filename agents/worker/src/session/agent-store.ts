import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type AttemptRecord, attemptRecordSchema, type LogCheckpoint, logCheckpointSchema } from './attempt-record.js';

const countersSchema = z.object({ completed: z.number(), failed: z.number() });
const finishedSchema = z.object({ key: z.string(), at: z.number() });
/** `at`: epoch milliseconds; `boot`: the same moment on the clock of that boot of the machine. */
const leaseRenewalSchema = z.object({
  at: z.number(),
  boot: z.object({ id: z.string(), at: z.number() }).optional(),
});
const startOnBootSchema = z.object({ id: z.string(), at: z.number() });
export type StoredRenewal = z.infer<typeof leaseRenewalSchema>;
/** ASSIGN keeps a day; what is older can never be replayed. */
const REMEMBER_FINISHED_MS = 2 * 86_400_000;

export function attemptKey(taskId: string, attempt: number): string {
  return `${taskId}.${attempt}`;
}

/**
 * The agent's data folder:
 *
 *     assign-sequence            last applied sequence of ASSIGN
 *     finished.jsonl             attempts that are over, so that a replayed assignment never runs twice
 *     lease-renewal.json         when the newest acknowledged heartbeat was sent
 *     counters.json              attempts that went well, and that failed, since the agent was installed
 *     attempts/<task>.<n>/       attempt.json, start.json, log.json, lease-ended, output/ (mounted at /output)
 *
 * Files are small and written whole under another name first, so a kill at any moment leaves the old or the new one.
 */
export class AgentStore {
  private readonly finished = new Map<string, number>();
  private readonly attemptsFolder: string;
  private readonly ended: { completed: number; failed: number };

  constructor(
    private readonly folder: string,
    private readonly outputOwner: { readonly uid: number; readonly gid: number } | undefined,
    now: number,
    /** A write that failed (a full disk): the agent goes on with what it has in memory, since dying would help nobody. */
    private readonly onWriteError: (error: unknown) => void,
  ) {
    this.attemptsFolder = join(folder, 'attempts');
    // Only the agent's user may pass: what tasks leave behind is nobody else's to read.
    mkdirSync(this.attemptsFolder, { recursive: true, mode: 0o700 });
    this.loadFinished(now);
    const counted = countersSchema.safeParse(parseOrUndefined(this.readText(join(folder, 'counters.json')) ?? ''));
    this.ended = counted.success ? counted.data : { completed: 0, failed: 0 };
  }

  assignSequence(): number | undefined {
    const text = this.readText(join(this.folder, 'assign-sequence'));
    const value = Number(text);
    return text === undefined || !Number.isSafeInteger(value) ? undefined : value;
  }

  saveAssignSequence(sequence: number): void {
    this.writeWhole(join(this.folder, 'assign-sequence'), String(sequence));
  }

  /** When the newest acknowledged heartbeat was sent. */
  leaseRenewal(): StoredRenewal | undefined {
    const text = this.readText(join(this.folder, 'lease-renewal.json'));
    return leaseRenewalSchema.safeParse(parseOrUndefined(text ?? '')).data;
  }

  saveLeaseRenewal(renewal: StoredRenewal): void {
    this.writeWhole(join(this.folder, 'lease-renewal.json'), JSON.stringify(renewal));
  }

  isFinished(key: string): boolean {
    return this.finished.has(key);
  }

  markFinished(key: string, at: number): void {
    if (this.finished.has(key)) return;
    this.finished.set(key, at);
    this.tolerating(() => {
      const file = openSync(join(this.folder, 'finished.jsonl'), 'a', 0o600);
      try {
        writeSync(file, `${JSON.stringify({ key, at })}\n`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    });
  }

  /** Makes the attempt's folders; answers the absolute path of the one to mount at /output. */
  prepare(key: string): string {
    const output = this.outputFolder(key);
    mkdirSync(output, { recursive: true, mode: 0o700 });
    if (this.outputOwner !== undefined) chownSync(output, this.outputOwner.uid, this.outputOwner.gid);
    return output;
  }

  outputFolder(key: string): string {
    return join(this.attemptsFolder, key, 'output');
  }

  saveAttempt(key: string, record: AttemptRecord): void {
    this.tolerating(() => mkdirSync(join(this.attemptsFolder, key), { recursive: true, mode: 0o700 }));
    this.writeWhole(join(this.attemptsFolder, key, 'attempt.json'), JSON.stringify(record));
  }

  attempts(): { key: string; record: AttemptRecord }[] {
    return readdirSync(this.attemptsFolder).flatMap((key) => {
      const text = this.readText(join(this.attemptsFolder, key, 'attempt.json'));
      return text === undefined ? [] : [{ key, record: attemptRecordSchema.parse(JSON.parse(text)) }];
    });
  }

  /** When the attempt began to run, on the clock of that boot of the machine. */
  startOnBoot(key: string): z.infer<typeof startOnBootSchema> | undefined {
    const text = this.readText(join(this.attemptsFolder, key, 'start.json'));
    return startOnBootSchema.safeParse(parseOrUndefined(text ?? '')).data;
  }

  saveStartOnBoot(key: string, start: z.infer<typeof startOnBootSchema>): void {
    this.writeWhole(join(this.attemptsFolder, key, 'start.json'), JSON.stringify(start));
  }

  /** Made by the lease keeper before it ends the attempt. */
  leaseMark(key: string): string {
    return join(this.attemptsFolder, key, 'lease-ended');
  }

  saveLog(key: string, checkpoint: LogCheckpoint): void {
    this.writeWhole(join(this.attemptsFolder, key, 'log.json'), JSON.stringify(checkpoint));
  }

  log(key: string): LogCheckpoint | undefined {
    const text = this.readText(join(this.attemptsFolder, key, 'log.json'));
    return text === undefined ? undefined : logCheckpointSchema.parse(JSON.parse(text));
  }

  /** True if the log of this attempt was opened before, so that the stream may hold some of it. */
  hasLogMark(key: string): boolean {
    return existsSync(join(this.attemptsFolder, key, 'log-opened'));
  }

  markLog(key: string): void {
    this.tolerating(() => writeFileSync(join(this.attemptsFolder, key, 'log-opened'), '', { mode: 0o600 }));
  }

  counters(): { completed: number; failed: number } {
    return { ...this.ended };
  }

  count(what: 'completed' | 'failed'): void {
    this.ended[what] += 1;
    this.writeWhole(join(this.folder, 'counters.json'), JSON.stringify(this.ended));
  }

  async forget(key: string): Promise<void> {
    await rm(join(this.attemptsFolder, key), { recursive: true, force: true });
  }

  private loadFinished(now: number): void {
    const path = join(this.folder, 'finished.jsonl');
    for (const line of (this.readText(path) ?? '').split('\n')) {
      const entry = finishedSchema.safeParse(parseOrUndefined(line));
      // A line that a crash cut short is as good as none.
      if (entry.success && now - entry.data.at < REMEMBER_FINISHED_MS) this.finished.set(entry.data.key, entry.data.at);
    }
    const kept = [...this.finished].map(([key, at]) => `${JSON.stringify({ key, at })}\n`);
    this.writeWhole(path, kept.join(''));
  }

  private readText(path: string): string | undefined {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  private writeWhole(path: string, text: string): void {
    this.tolerating(() => {
      const temporary = `${path}.new`;
      writeFileSync(temporary, text, { mode: 0o600 });
      renameSync(temporary, path);
    });
  }

  private tolerating(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.onWriteError(error);
    }
  }
}

function parseOrUndefined(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
