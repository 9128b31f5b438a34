import fs from 'node:fs';
import path from 'node:path';

/** One line that a task wrote to the folder outside the system. */
export interface Beat {
  readonly taskId: string;
  readonly attempt: number;
  /** Counts the lines of one run of the script. */
  readonly n: number;
  readonly kind: string;
  /** Seconds since the machine's start, hundredths. */
  readonly t: number;
  readonly text: string;
}

const LINE = /^(\S+) (\d+) (\d+) (begin|beat|term|end) (\d+\.\d+)$/;

/** In the order of writing, per task. A line cut short by the end of its writer is not a line. */
export function parseBeats(content: string): Beat[] {
  return content.split('\n').flatMap((text) => {
    const [, taskId, attempt, n, kind, t] = LINE.exec(text) ?? [];
    if (taskId === undefined || kind === undefined) return [];
    return [{ taskId, attempt: Number(attempt), n: Number(n), kind, t: Number(t), text }];
  });
}

export function readWitness(folder: string): Map<string, Beat[]> {
  return new Map(
    fs.readdirSync(folder).map((taskId) => [taskId, parseBeats(fs.readFileSync(path.join(folder, taskId), 'utf8'))]),
  );
}
