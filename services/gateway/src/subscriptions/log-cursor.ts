import type { LogChunk, LogLine } from '@gantry/contracts/agents/log-chunk';

export interface LogBatch {
  attempt: number;
  lines: LogLine[];
  complete: boolean;
}

type Piece = Pick<LogChunk, 'attempt' | 'lines' | 'end'>;

/** Where a reader of logs stands: lets each line through once, in order, and says when something is missing before it. */
export class LogCursor {
  complete = false;

  constructor(
    public attempt: number,
    public lastSeq: number,
  ) {}

  /** Nothing in it is new. */
  isOld(piece: Piece): boolean {
    if (piece.attempt !== this.attempt) return piece.attempt < this.attempt;
    const last = piece.lines.at(-1);
    return (last === undefined || last.seq <= this.lastSeq) && (!piece.end || this.complete);
  }

  hasGapBefore(piece: Piece): boolean {
    const first = piece.lines[0];
    return first !== undefined && first.seq > this.lastSeq + 1;
  }

  *accept(piece: Piece): Generator<LogBatch> {
    const lines = piece.lines.filter((line) => line.seq > this.lastSeq);
    this.lastSeq = lines.at(-1)?.seq ?? this.lastSeq;
    const ends = piece.end && !this.complete;
    if (ends) this.complete = true;
    if (lines.length > 0 || ends) yield { attempt: this.attempt, lines, complete: this.complete };
  }

  /** On to a later attempt; says that nothing follows for this one. */
  *moveTo(attempt: number): Generator<LogBatch> {
    yield* this.finish();
    this.attempt = attempt;
    this.lastSeq = 0;
    this.complete = false;
  }

  *finish(): Generator<LogBatch> {
    if (this.complete) return;
    this.complete = true;
    yield { attempt: this.attempt, lines: [], complete: true };
  }
}
