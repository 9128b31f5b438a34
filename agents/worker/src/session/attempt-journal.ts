import { appendFileSync, readFileSync } from 'node:fs';
import { type AttemptNote, attemptNoteSchema } from './attempt-record.js';

/**
 * A file of notes, one JSON object a line; a later one counts over an earlier one. Adding a line costs a twentieth of writing the file
 * whole under another name: of several changes a task, that was the most expensive thing an agent did. A kill between two system calls
 * leaves all lines whole; of a line that a full disk cut short the next one does not depend, because each begins with its line feed.
 */
export function addNote(file: string, note: AttemptNote): void {
  appendFileSync(file, `\n${JSON.stringify(note)}`, { mode: 0o600 });
}

/** What all notes come to; undefined if there is no such file. */
export function readNotes(file: string): AttemptNote | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return text.split('\n').reduce<AttemptNote>((notes, line) => {
    const parsed = parseOrUndefined(line);
    return parsed === undefined ? notes : { ...notes, ...attemptNoteSchema.parse(parsed) };
  }, {});
}

/** The value of a JSON text, undefined for what is none. */
export function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
