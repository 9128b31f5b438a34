/** Sees to it that a numbered log is whole: each line once, in order, and as it was written. */
export class LogWitness {
  /** Lines seen so far. */
  lines = 0;
  private firstFault: string | undefined;

  take(text: string): void {
    this.lines += 1;
    if (this.firstFault === undefined && text !== floodLine(this.lines))
      this.firstFault = `Line ${this.lines} is "${text.slice(0, 60)}".`;
  }

  /** Throws when anything is missing, doubled, or out of place. */
  expectWhole(lines: number, where: string): void {
    if (this.firstFault !== undefined) throw new Error(`${where}: ${this.firstFault}`);
    if (this.lines !== lines) throw new Error(`${where}: ${this.lines} lines of ${lines}.`);
  }
}

const REST = ' of a flood, as long as lines of a program usually are: level=info step=7 loss=0.1234';

function floodLine(number: number): string {
  return `line ${String(number).padStart(9, '0')}${REST}`;
}

/** Writes that many lines as fast as it can. Runs with any awk. */
export const floodCommand = (lines: number): string[] => [
  'awk',
  `BEGIN { for (i = 1; i <= ${lines}; i++) printf "line %09d%s\\n", i, "${REST}" }`,
];

/** Writes the time of writing, in microseconds, `lines` times, one every 20 ms. Needs bash, which has a clock of its own. */
export const clockCommand = (lines: number): string[] => [
  '/bin/bash',
  '-c',
  `sleep 1; for ((i = 0; i < ${lines}; i++)); do now=$EPOCHREALTIME; echo "\${now/[.,]/}"; sleep 0.02; done`,
];

/** Milliseconds since a line of `clockCommand` was written; undefined for any other line. */
export function ageOf(text: string): number | undefined {
  if (!/^\d{16}$/.test(text)) return undefined;
  return performance.timeOrigin + performance.now() - Number(text) / 1_000;
}
