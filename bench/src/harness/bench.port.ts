import type { Spread } from './spread.js';

/** One measured quantity with its floor or peer, measured in the same run on the same machine. */
export interface Figure {
  readonly what: string;
  readonly unit: string;
  readonly ours: Spread;
  readonly beside?: { readonly name: string; readonly value: Spread };
  /** `ours` / `beside` of the medians; above 1 is better where more is better, below 1 where less is. */
  readonly ratio?: number;
  readonly goal?: string;
  /** What others publish of themselves, from other machines: says of which order it is, and nothing more. */
  readonly reference?: string;
}

/** For curves and costs, which are no single figures. */
export interface FreeTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

export interface BenchResult {
  readonly figures: readonly Figure[];
  readonly tables?: readonly FreeTable[];
  /** What a reader must know to judge the figures; also which peer could not be measured and why. */
  readonly notes?: readonly string[];
}

export interface BenchContext {
  /** A smoke run: the least work that still goes through every step. Its figures mean nothing. */
  readonly quick: boolean;
  /** Where the started services leave CPU profiles; undefined = they are not profiled. */
  readonly profileFolder: string | undefined;
  readonly log: (text: string) => void;
}

export interface Bench {
  readonly name: string;
  readonly title: string;
  /** Of one full run, with room to spare; a bench that takes longer is ended and reported as failed. */
  readonly limitSeconds: number;
  /** Takes so long that it runs only when it is asked for by name. */
  readonly onlyByName?: true;
  run(context: BenchContext): Promise<BenchResult>;
}
