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

it('refuses a removal before an append can have given up', () => {
  expect(() => readEnvironment({ ...base, GANTRY_ARCHIVE_REMOVE_AFTER_SECONDS: '30' })).toThrow(
    /GANTRY_ARCHIVE_REMOVE_AFTER_SECONDS/,
  );
});
