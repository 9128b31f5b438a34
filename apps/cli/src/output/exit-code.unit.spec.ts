import { describe, expect, it } from 'vitest';
import { exitCodeOf } from './exit-code.js';

const failure = (kind: 'user_exit' | 'out_of_memory' | 'image') => ({ class: kind, message: 'because' });

describe('exit code of run', () => {
  it.each([
    [{ status: 'succeeded', exitCode: 0, failure: null }, 0],
    [{ status: 'failed', exitCode: 3, failure: failure('user_exit') }, 3],
    [{ status: 'failed', exitCode: 137, failure: failure('out_of_memory') }, 137],
    [{ status: 'failed', exitCode: null, failure: failure('image') }, 125],
    [{ status: 'timed_out', exitCode: 143, failure: null }, 124],
    [{ status: 'cancelled', exitCode: null, failure: null }, 130],
  ] as const)('%j ends with %i', (task, code) => {
    expect(exitCodeOf(task)).toBe(code);
  });
});
