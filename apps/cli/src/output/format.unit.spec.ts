import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration } from './format.js';

describe('figures for people', () => {
  it.each([
    [0, '0.0 s'],
    [3_240, '3.2 s'],
    [250_000, '4 min 10 s'],
    [7_500_000, '2 h 5 min'],
  ])('%i ms is %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  it.each([
    [512, '512 B'],
    [1_536, '1.5 KiB'],
    [52_428_800, '50.0 MiB'],
  ])('%i bytes is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
