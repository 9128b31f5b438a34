import { GantryError } from '@gantry/kernel/gantry-error';
import { ZodError } from 'zod';

/**
 * Server codes that pass by themselves or after an operator's help, so the same statement may work later. A missing table
 * or database counts too: it appears with the migrations.
 * Source: https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
 */
const PASSING = new Set([
  '60', // UNKNOWN_TABLE
  '74', // CANNOT_READ_FROM_FILE_DESCRIPTOR
  '75', // CANNOT_WRITE_TO_FILE_DESCRIPTOR
  '76', // CANNOT_OPEN_FILE
  '81', // UNKNOWN_DATABASE
  '159', // TIMEOUT_EXCEEDED
  '160', // TOO_SLOW
  '164', // READONLY
  '194', // REQUIRED_PASSWORD
  '202', // TOO_MANY_SIMULTANEOUS_QUERIES
  '209', // SOCKET_TIMEOUT
  '210', // NETWORK_ERROR
  '218', // TABLE_IS_DROPPED
  '225', // NO_ZOOKEEPER
  '236', // ABORTED
  '241', // MEMORY_LIMIT_EXCEEDED
  '242', // TABLE_IS_READ_ONLY
  '252', // TOO_MANY_PARTS
  '319', // UNKNOWN_STATUS_OF_INSERT
  '394', // QUERY_WAS_CANCELLED
  '425', // SYSTEM_ERROR
  '439', // CANNOT_SCHEDULE_TASK
  '497', // ACCESS_DENIED
  '516', // AUTHENTICATION_FAILED
  '999', // KEEPER_EXCEPTION
]);

/** NOT_ENOUGH_SPACE: the server keeps a reserve, so this comes before a write fails half-way. */
const NOT_ENOUGH_SPACE = '243';
/** What the operating system says when the reserve was not enough; it comes with several codes of failed writes. */
const NO_SPACE_LEFT = /No space left on device/;

/** Sorts whatever the client throws into "try again" and "will never work". */
export function toClickHouseError(error: unknown): GantryError {
  if (error instanceof GantryError) return error;
  if (error instanceof ZodError) {
    return new GantryError(
      'CLICKHOUSE.UNEXPECTED_ROW',
      'internal',
      'ClickHouse answered with rows of another shape than the query asked for.',
      {
        cause: error,
      },
    );
  }
  const refusal = refusalOf(error);
  if (refusal !== undefined && (refusal.code === NOT_ENOUGH_SPACE || NO_SPACE_LEFT.test(refusal.message))) {
    return new GantryError(
      'CLICKHOUSE.FULL',
      'unavailable',
      'The disk of ClickHouse is full. Free or enlarge it; new logs, metrics and history wait in their streams meanwhile.',
      { retryable: true, cause: error },
    );
  }
  if (refusal !== undefined && !PASSING.has(refusal.code)) {
    return new GantryError('CLICKHOUSE.REJECTED', 'internal', `ClickHouse refused a statement (${refusal.type}).`, {
      cause: error,
    });
  }
  return new GantryError(
    'CLICKHOUSE.UNAVAILABLE',
    'unavailable',
    'ClickHouse does not answer. Lists of active tasks still work; history, search, logs and charts come back with it.',
    { retryable: true, cause: error },
  );
}

/** By shape, not class: the server client and the embedded engine each bring their own copy of the class. */
function refusalOf(error: unknown): { code: string; type: string; message: string } | undefined {
  // So says the embedded engine about rows that went to it past the client.
  if (error instanceof Error && 'clickhouseCode' in error && typeof error.clickhouseCode === 'number') {
    const code = String(error.clickhouseCode);
    return { code, type: /\(([A-Z_]+)\)/.exec(error.message)?.[1] ?? code, message: error.message };
  }
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string' || !/^\d+$/.test(error.code))
    return undefined;
  return {
    code: error.code,
    type: 'type' in error && typeof error.type === 'string' ? error.type : error.code,
    message: error.message,
  };
}
