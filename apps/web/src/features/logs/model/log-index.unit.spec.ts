import { describe, expect, it } from 'vitest';
import { LogBuffer, type LogLine } from './log-buffer';
import { allStreams, LogIndex } from './log-index';

const line = (seq: number, text: string, stream: LogLine['stream'] = 'stdout'): LogLine => ({
  seq,
  text,
  stream,
  t: 0,
});
const whole = (search: string) => ({ streams: allStreams, search });

describe('LogIndex', () => {
  it('finds matches without regard to case and colours', () => {
    const buffer = new LogBuffer(100, 4);
    buffer.put([line(1, 'Hello'), line(2, '\u001b[31mhel\u001b[0mlo'), line(3, 'other')]);
    const index = new LogIndex(buffer, whole('HELLO'));
    index.scan(100);
    expect(index.matches).toEqual([1, 2]);
  });

  it('numbers rows by the filter and finds them again', () => {
    const buffer = new LogBuffer(100, 4);
    buffer.put([line(1, 'a'), line(2, 'b', 'stderr'), line(3, 'c'), line(4, 'd', 'stderr')]);
    const index = new LogIndex(buffer, { streams: new Set(['stderr'] as const), search: '' });
    index.scan(100);
    expect(index.rowCount(buffer.lastSeq)).toBe(2);
    expect([index.seqOfRow(0), index.seqOfRow(1)]).toEqual([2, 4]);
    expect(index.rowOfSeq(4)).toBe(1);
    // Paused at line 3: the later row is held back.
    expect(index.rowCount(3)).toBe(1);
  });

  it('scans in slices, goes on with new lines, and looks again at lines that came late', () => {
    const buffer = new LogBuffer(100, 4);
    buffer.put([1, 2, 9, 10].map((seq) => line(seq, 'x')));
    const index = new LogIndex(buffer, whole('x'));
    index.scan(2);
    expect([index.matches, index.isComplete]).toEqual([[1, 2], false]);
    index.scan(100);
    expect([index.matches, index.isComplete]).toEqual([[1, 2, 9, 10], true]);
    buffer.put([line(11, 'x')]);
    index.scan(100);
    expect(index.matches).toEqual([1, 2, 9, 10, 11]);
    buffer.put([5, 6].map((seq) => line(seq, 'x')));
    index.rewindTo(5);
    index.scan(100);
    expect(index.matches).toEqual([1, 2, 5, 6, 9, 10, 11]);
  });

  it('needs no list when every line is a row', () => {
    const buffer = new LogBuffer(8, 4);
    buffer.put(Array.from({ length: 20 }, (_, at) => line(at + 1, 'x')));
    const index = new LogIndex(buffer, whole(''));
    index.scan(1);
    expect(index.isComplete).toBe(true);
    expect([index.rowCount(20), index.seqOfRow(0), index.rowOfSeq(20)]).toEqual([8, 13, 7]);
  });
});
