import type { LogLine } from '@gantry/contracts/agents/log-chunk';

/** On the wire `partial` is absent when false; the schema promises a value. */
export function logLineNode(line: LogLine): Required<LogLine> {
  return { seq: line.seq, n: line.n, stream: line.stream, t: line.t, text: line.text, partial: line.partial ?? false };
}
