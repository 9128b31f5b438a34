/** What went wrong, in the words of the API's error contract, whatever the transport. */
export interface Problem {
  readonly code: string;
  readonly kind: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly fields: readonly FieldProblem[];
}

export interface FieldProblem {
  /** Dotted, as the server names it: `spec.resources.cpu`, `input.name`. */
  readonly path: string;
  readonly message: string;
}

export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  constructor(readonly problem: Problem) {
    super(problem.message);
  }
}

const unreachable: Problem = {
  code: 'NETWORK.UNREACHABLE',
  kind: 'unavailable',
  message: 'The API does not answer. Check that it runs and that this browser can reach it, then try again.',
  retryable: true,
  fields: [],
};

/** One GraphQL error (`extensions` carries code, kind, retryable and fields) or the `error` body of a REST answer. */
export function problemFromWire(message: string, detail: unknown): Problem {
  const source = isRecord(detail) ? detail : {};
  return {
    code: typeof source['code'] === 'string' ? source['code'] : 'UNKNOWN',
    kind: typeof source['kind'] === 'string' ? source['kind'] : kindOfCode(source['code']),
    message,
    retryable: source['retryable'] === true,
    fields: Array.isArray(source['fields']) ? source['fields'].filter(isFieldProblem) : [],
  };
}

/** Anything thrown by fetch, Apollo or our own code. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof ProblemError) return thrown.problem;
  const first = isRecord(thrown) && Array.isArray(thrown['errors']) ? (thrown['errors'][0] as unknown) : thrown;
  if (isRecord(first) && isRecord(first['extensions']))
    return problemFromWire(String(first['message']), first['extensions']);
  // fetch reports every network failure as a TypeError; a closed socket comes as an Event.
  if (thrown instanceof TypeError || (typeof Event !== 'undefined' && thrown instanceof Event)) return unreachable;
  if (isRecord(thrown) && typeof thrown['statusCode'] === 'number') return problemOfStatus(thrown['statusCode']);
  return {
    code: 'UNKNOWN',
    kind: 'internal',
    message: thrown instanceof Error && thrown.message !== '' ? thrown.message : 'Something went wrong. Try again.',
    retryable: true,
    fields: [],
  };
}

export function problemOfStatus(status: number): Problem {
  if (status === 401)
    return { ...unreachable, code: 'AUTH.UNAUTHENTICATED', kind: 'unauthenticated', message: 'Log in again.' };
  if (status === 404) {
    return {
      ...unreachable,
      code: 'NOT_FOUND',
      kind: 'not_found',
      message: 'Nothing is there (any more).',
      retryable: false,
    };
  }
  return {
    ...unreachable,
    code: `HTTP.${status}`,
    message: `The API answered with status ${status}. Try again in a moment.`,
  };
}

export const isUnauthenticated = (problem: Problem) => problem.kind === 'unauthenticated';

/** Framework errors carry only a code (`UNAUTHENTICATED`). */
function kindOfCode(code: unknown): string {
  if (code === 'UNAUTHENTICATED') return 'unauthenticated';
  if (code === 'FORBIDDEN') return 'forbidden';
  if (code === 'BAD_USER_INPUT' || code === 'GRAPHQL_VALIDATION_FAILED') return 'invalid';
  return 'internal';
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isFieldProblem = (value: unknown): value is FieldProblem =>
  isRecord(value) && typeof value['path'] === 'string' && typeof value['message'] === 'string';
