import { describe, expect, it } from 'vitest';
import type { LogCursor, RawLine } from './raw-line.js';
import { TimestampedLineDecoder } from './timestamped-line.decoder.js';

type Frame = ['stdout' | 'stderr', string];

/** Frames as the engine writes them; many share a time stamp. */
const frames: Frame[] = [
  ['stdout', '2026-01-02T03:04:05.000000001Z a\n'],
  ['stdout', '2026-01-02T03:04:05.000000001Z b\n'],
  ['stderr', '2026-01-02T03:04:05.000000001Z x\n'],
  ['stdout', '2026-01-02T03:04:05.000000001Z c\n'],
  ['stderr', '2026-01-02T03:04:05.999999999Z y\n'],
  ['stdout', '2026-01-02T03:04:06.500000000Z d\n'],
  ['stdout', '2026-01-02T03:04:06.500000000Z  e e\n'],
  ['stderr', '2026-01-02T03:04:06.100000000Z z\n'],
  ['stdout', '2026-01-02T03:04:07.123456789Z \n'],
];

function decode(decoder: TimestampedLineDecoder, input: readonly Frame[]): RawLine[] {
  const lines: RawLine[] = [];
  for (const [stream, text] of input) decoder.decode(stream, Buffer.from(text), (line) => lines.push(line));
  return lines;
}

describe('decoder of time-stamped lines', () => {
  it('takes stamps off and reads them as milliseconds', () => {
    const lines = decode(new TimestampedLineDecoder(), frames);
    expect(lines.map(({ text }) => text)).toEqual(['a', 'b', 'x', 'c', 'y', 'd', ' e e', 'z', '']);
    expect(lines[0]?.t).toBe(Date.UTC(2026, 0, 2, 3, 4, 5));
    expect(lines[4]?.t).toBe(Date.UTC(2026, 0, 2, 3, 4, 5, 999));
    expect(lines[8]?.t).toBe(Date.UTC(2026, 0, 2, 3, 4, 7, 123));
  });

  it('goes on from any cursor over a repeated reading without loss or repetition', () => {
    const whole = decode(new TimestampedLineDecoder(), frames).map(({ text }) => text);
    for (let cut = 0; cut <= frames.length; cut += 1) {
      const first = new TimestampedLineDecoder();
      const before = decode(first, frames.slice(0, cut));
      const cursor = JSON.parse(JSON.stringify(first.cursor())) as LogCursor;
      const after = decode(new TimestampedLineDecoder(cursor), frames);
      expect([...before, ...after].map(({ text }) => text)).toEqual(whole);
      first.rewind();
      expect([...before, ...decode(first, frames)].map(({ text }) => text)).toEqual(whole);
    }
  });

  it('asks the engine from a margin before the newest line', () => {
    const decoder = new TimestampedLineDecoder();
    expect(decoder.since()).toBeUndefined();
    decode(decoder, frames);
    expect(decoder.since()).toBe(Date.UTC(2026, 0, 2, 3, 4, 7) / 1_000 - 5);
  });

  it('shows pieces of a long line as partial and has no cursor in the middle of a character', () => {
    const decoder = new TimestampedLineDecoder();
    const stamp = Buffer.from('2026-01-02T03:04:05.000000001Z ');
    const euro = Buffer.from('€');
    const lines: RawLine[] = [];
    const emit = (line: RawLine): void => void lines.push(line);
    decoder.decode('stdout', Buffer.concat([stamp, Buffer.from('ab'), euro.subarray(0, 2)]), emit);
    expect(decoder.cursor()).toBeUndefined();
    decoder.decode('stdout', Buffer.concat([stamp, euro.subarray(2), Buffer.from('c\n')]), emit);
    expect(lines.map(({ text, partial }) => [text, partial])).toEqual([
      ['ab', true],
      ['€c', false],
    ]);
    expect(decoder.cursor()).toEqual({
      stdout: { seconds: Date.UTC(2026, 0, 2, 3, 4, 5) / 1_000, nanos: 1, count: 2 },
    });
  });

  it('keeps lines although the clock of the machine was set back', () => {
    const back: Frame[] = [...frames, ['stdout', '2026-01-01T00:00:00.000000000Z earlier\n']];
    expect(decode(new TimestampedLineDecoder(), back).at(-1)?.text).toBe('earlier');
  });

  it('refuses frames without a time stamp', () => {
    expect(() => decode(new TimestampedLineDecoder(), [['stdout', 'no stamp\n']])).toThrow(/time stamp/);
  });
});
