import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration, formatLines, formatMebibytesOf, formatRelative, shortNumber } from './format';

describe('formatDuration', () => {
  it.each([
    [0, '0 ms'],
    [-5, '0 ms'],
    [850, '850 ms'],
    [4_200, '4.2 s'],
    [9_960, '10 s'],
    [59_400, '59 s'],
    [59_600, '1 m 00 s'],
    [185_000, '3 m 05 s'],
    [3_599_600, '1 h 00 m'],
    [3_600_000, '1 h 00 m'],
    [7_620_000, '2 h 07 m'],
    [86_399_999, '23 h 59 m'],
    [273_600_000, '3 d 4 h'],
  ])('%d ms reads %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1_023, '1023 B'],
    [1_024, '1 KiB'],
    [1_536, '1.5 KiB'],
    [1_048_575, '1 MiB'],
    [1.25 * 1024 ** 3, '1.25 GiB'],
    [5e18, '4441 PiB'],
  ])('%d reads %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('names a part in the unit of the whole', () => {
    expect(formatMebibytesOf(9_000, 32_768)).toBe('8.79 of 32 GiB');
    expect(formatMebibytesOf(0, 512)).toBe('0 of 512 MiB');
  });
});

describe('formatRelative', () => {
  it.each([
    [0, 'just now'],
    [42_000, '42 s ago'],
    [60_000, '1 m ago'],
    [7_200_000, '2 h ago'],
    [6 * 86_400_000, '6 d ago'],
    [-300_000, 'in 5 m'],
  ])('%d ms before now reads %s', (distance, text) => {
    expect(formatRelative(1_000_000_000 - distance, 1_000_000_000)).toBe(text);
  });
});

describe('shortNumber', () => {
  it.each([
    [0.254, '0.25'],
    [1.5, '1.5'],
    [12.34, '12.3'],
    [1024, '1024'],
  ])('%d reads %s', (value, text) => {
    expect(shortNumber(value)).toBe(text);
  });
});

describe('formatLines', () => {
  it.each([
    [0, '0 lines'],
    [1, '1 line'],
    [100_000, '100,000 lines'],
  ])('%d reads %s', (lines, text) => {
    expect(formatLines(lines)).toBe(text);
  });
});
