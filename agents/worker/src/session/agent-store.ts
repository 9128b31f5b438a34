import {
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { addNote, parseOrUndefined, readNotes } from './attempt-journal.js';
import {
  type AttemptNote,
  type AttemptRecord,
  attemptRecordSchema,
  type LogCheckpoint,
  logCheckpointSchema,
} from './attempt-record.js';
import { FinishedAttempts } from './finished-attempts.js';
import { overwrite } from './small-file.js';

const countersSchema = z.object({ completed: z.number(), failed: z.number() });
/** `at`: epoch milliseconds; `boot`: the same moment on the clock of that boot of the machine. */
const leaseRenewalSchema = z.object({
  at: z.number(),
  boot: z.object({ id: z.string(), at: z.number() }).optional(),
});
export type StoredRenewal = z.infer<typeof leaseRenewalSchema>;
/** Bytes. */
const SEQUENCE_SIZE = 24;
const COUNTERS_SIZE = 64;

export function attemptKey(taskId: string, attempt: number): string {
  return `${taskId}.${attempt}`;
}

/** Where the output of a sandbox lies until the stream has it; goes with the attempt's folder. */
export function spoolFolder(agentFolder: string, key: string): string {
  return join(agentFolder, 'attempts', key, 'spool');
}

/**
 * The agent's data folder:
 *
 *     assign-sequence            last applied sequence of ASSIGN
 *     finished.jsonl             attempts that are over, so that a replayed assignment never runs twice
 *     gpu-claims.json            which attempt may still be on which device (`DeviceClaims`)
 *     lease-renewal.json         when the newest acknowledged heartbeat was sent
 *     counters.json              attempts that went well, and that failed, since the agent was installed
 *     attempts/<task>.<n>/       attempt.jsonl, log.json, lease-ended, output/ (mounted at /output), spool/ (of a sandbox)
 *
 * A kill at any moment leaves of each file the old or the new state: lines are added, a few bytes are written over in place, and
 * everything else is written whole under another name first.
 */
export class AgentStore {
  private readonly finished: FinishedAttempts;
  /** What the journals of the attempts in hand say. */
  private readonly notes = new Map<string, AttemptNote>();
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
    this.finished = new FinishedAttempts(join(folder, 'finished.jsonl'), now, onWriteError);
    const counted = countersSchema.safeParse(parseOrUndefined(this.readText(join(folder, 'counters.json')) ?? ''));
    this.ended = counted.success ? counted.data : { completed: 0, failed: 0 };
  }

  assignSequence(): number | undefined {
    const text = this.readText(join(this.folder, 'assign-sequence'));
    const value = Number(text);
    return text === undefined || !Number.isSafeInteger(value) ? undefined : value;
  }

  /** When the sequence was saved, epoch milliseconds. */
  assignedAt(): number | undefined {
    return statSync(join(this.folder, 'assign-sequence'), { throwIfNoEntry: false })?.mtimeMs;
  }

  saveAssignSequence(sequence: number): void {
    this.tolerating(() => overwrite(join(this.folder, 'assign-sequence'), String(sequence), SEQUENCE_SIZE));
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

  /** Known at once; resolves when a loss of power cannot undo it either. */
  markFinished(key: string, at: number): Promise<void> {
    return this.finished.add(key, at);
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
    this.tolerating(() => {
      const { state, usage } = record;
      const isNew =
        !this.notes.has(key) &&
        mkdirSync(join(this.attemptsFolder, key), { recursive: true, mode: 0o700 }) !== undefined;
      if (isNew) this.notes.set(key, {});
      const isKnown = this.notesOf(key).assignment !== undefined;
      this.note(key, isKnown ? { state, ...(usage === undefined ? {} : { usage }) } : record);
    });
  }

  attempts(): { key: string; record: AttemptRecord }[] {
    return readdirSync(this.attemptsFolder).flatMap((key) => {
      const record = attemptRecordSchema.safeParse(readNotes(this.journal(key)));
      // Without its assignment there was no room for the first line, and nothing was started.
      return record.success ? [{ key, record: record.data }] : [];
    });
  }

  /** When the attempt began to run, on the clock of that boot of the machine. */
  startOnBoot(key: string): AttemptNote['startOnBoot'] {
    return this.notesOf(key).startOnBoot;
  }

  saveStartOnBoot(key: string, startOnBoot: NonNullable<AttemptNote['startOnBoot']>): void {
    this.tolerating(() => this.note(key, { startOnBoot }));
  }

  /** Made by the lease keeper before it ends the attempt. */
  leaseMark(key: string): string {
    return join(this.attemptsFolder, key, 'lease-ended');
  }

  /** False if it could not be written. */
  saveLog(key: string, checkpoint: LogCheckpoint): boolean {
    return this.writeWhole(join(this.attemptsFolder, key, 'log.json'), JSON.stringify(checkpoint));
  }

  /** `damaged`: there is one, but a failing disk or a loss of power has made it unreadable. */
  log(key: string): LogCheckpoint | 'damaged' | undefined {
    try {
      const text = this.readText(join(this.attemptsFolder, key, 'log.json'));
      return text === undefined ? undefined : logCheckpointSchema.parse(JSON.parse(text));
    } catch {
      return 'damaged';
    }
  }

  /** True if the log of this attempt was opened before, so that the stream may hold some of it. */
  hasLogMark(key: string): boolean {
    return this.notesOf(key).logOpened === true;
  }

  markLog(key: string): void {
    this.tolerating(() => this.note(key, { logOpened: true }));
  }

  counters(): { completed: number; failed: number } {
    return { ...this.ended };
  }

  count(what: 'completed' | 'failed'): void {
    this.ended[what] += 1;
    this.tolerating(() => overwrite(join(this.folder, 'counters.json'), JSON.stringify(this.ended), COUNTERS_SIZE));
  }

  async forget(key: string): Promise<void> {
    this.notes.delete(key);
    if (this.removeEmpty(key)) return;
    await rm(join(this.attemptsFolder, key), { recursive: true, force: true });
  }

  /** Most attempts leave no files: four system calls do what a recursive removal does with twenty. False: there is more. */
  private removeEmpty(key: string): boolean {
    const folder = join(this.attemptsFolder, key);
    try {
      rmdirSync(this.outputFolder(key));
      unlinkSync(this.journal(key));
      rmdirSync(folder);
      return true;
    } catch {
      return false;
    }
  }

  private notesOf(key: string): AttemptNote {
    let notes = this.notes.get(key);
    if (notes === undefined) this.notes.set(key, (notes = readNotes(this.journal(key)) ?? {}));
    return notes;
  }

  private note(key: string, note: AttemptNote): void {
    addNote(this.journal(key), note);
    this.notes.set(key, { ...this.notesOf(key), ...note });
  }

  private journal(key: string): string {
    return join(this.attemptsFolder, key, 'attempt.jsonl');
  }

  private readText(path: string): string | undefined {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  private writeWhole(path: string, text: string): boolean {
    return this.tolerating(() => {
      const temporary = `${path}.new`;
      writeFileSync(temporary, text, { mode: 0o600 });
      renameSync(temporary, path);
    });
  }

  private tolerating(write: () => void): boolean {
    try {
      write();
      return true;
    } catch (error) {
      this.onWriteError(error);
      return false;
    }
  }
}
