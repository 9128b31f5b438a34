import { expect, it } from 'vitest';
import { readEnvironment } from './environment.js';

const base = { NATS_URL: 'nats://127.0.0.1:4222' };

it('keeps ended tasks for a week, a million of them, and removes nothing within ten minutes unless told otherwise', () => {
  expect(readEnvironment(base)).toMatchObject({
    GANTRY_ARCHIVE_AFTER_SECONDS: 604_800,
    GANTRY_ARCHIVE_KEEP_TASKS: 1_000_000,
    GANTRY_ARCHIVE_REMOVE_AFTER_SECONDS: 600,
  });
  expect(readEnvironment({ ...base, GANTRY_ARCHIVE_AFTER_SECONDS: '20' }).GANTRY_ARCHIVE_AFTER_SECONDS).toBe(20);
});

it('saves a snapshot every ten minutes unless told otherwise, and not more often than every second', () => {
  const secondsOf = (value?: string): number =>
    readEnvironment(value === undefined ? base : { ...base, GANTRY_SNAPSHOT_AFTER_SECONDS: value })
      .GANTRY_SNAPSHOT_AFTER_SECONDS;
  expect(secondsOf()).toBe(600);
  expect(secondsOf('5')).toBe(5);
  expect(() => secondsOf('0')).toThrow(/GANTRY_SNAPSHOT_AFTER_SECONDS/);
});

it('refuses a removal before an append can have given up', () => {
  expect(() => readEnvironment({ ...base, GANTRY_ARCHIVE_REMOVE_AFTER_SECONDS: '30' })).toThrow(
    /GANTRY_ARCHIVE_REMOVE_AFTER_SECONDS/,
  );
});
