import { describe, expect, it } from 'vitest';
import { toClickHouseError } from './clickhouse-error.js';

const refusal = (code: string, type: string, message: string) => Object.assign(new Error(message), { code, type });

describe('what a server refused', () => {
  it.each([
    refusal('243', 'NOT_ENOUGH_SPACE', 'Cannot reserve 1.00 MiB, not enough space.'),
    refusal('75', 'CANNOT_WRITE_TO_FILE_DESCRIPTOR', 'Cannot write to file: errno: 28, No space left on device'),
  ])('$type for want of room is a full disk, to be tried again', (error) => {
    expect(toClickHouseError(error)).toMatchObject({ code: 'CLICKHOUSE.FULL', kind: 'unavailable', retryable: true });
  });

  it('another failed write is no full disk, and no fault of the rows either', () => {
    const error = refusal('75', 'CANNOT_WRITE_TO_FILE_DESCRIPTOR', 'Cannot write to file: errno: 5, I/O error');
    expect(toClickHouseError(error)).toMatchObject({ code: 'CLICKHOUSE.UNAVAILABLE', retryable: true });
  });

  it('what passes by itself is tried again', () => {
    expect(toClickHouseError(refusal('241', 'MEMORY_LIMIT_EXCEEDED', 'memory'))).toMatchObject({
      code: 'CLICKHOUSE.UNAVAILABLE',
      retryable: true,
    });
  });
});
