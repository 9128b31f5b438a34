/**
 * What went wrong, in words that every edge can translate (GraphQL, REST, exit code) without knowing the code:
 * the edge maps `kind`, the person reads `message`, programs match on `code`.
 */
export const errorKinds = [
  'invalid', // the input is wrong; the same call can never work
  'unauthenticated', // nobody is logged in, or the token is no longer good
  'forbidden', // logged in, but not allowed
  'not_found', // does not exist, or is not visible to the caller
  'conflict', // the state does not allow it (now)
  'limit', // a quota, a rate or a size is exceeded
  'unavailable', // a part is down or too slow; the same call may work later
  'internal', // a defect
] as const;
export type ErrorKind = (typeof errorKinds)[number];

/** One wrong field: `path` in dotted form (`spec.resources.cpu`), `message` says what would be right. */
export interface FieldError {
  path: string;
  message: string;
}

/** The wire form of an error. */
export interface ErrorBody {
  /** Stable, dotted, upper case: `TASK.ALREADY_FINISHED`. */
  code: string;
  kind: ErrorKind;
  /** Says what to do next; safe to show to a user. */
  message: string;
  retryable: boolean;
  fields?: FieldError[];
}

export interface GantryErrorOptions {
  retryable?: boolean;
  fields?: FieldError[];
  cause?: unknown;
}

export class GantryError extends Error {
  override readonly name = 'GantryError';
  readonly retryable: boolean;
  readonly fields: FieldError[] | undefined;

  constructor(
    readonly code: string,
    readonly kind: ErrorKind,
    message: string,
    options: GantryErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.retryable = options.retryable ?? kind === 'unavailable';
    this.fields = options.fields;
  }

  toBody(): ErrorBody {
    return {
      code: this.code,
      kind: this.kind,
      message: this.message,
      retryable: this.retryable,
      ...(this.fields === undefined ? {} : { fields: this.fields }),
    };
  }

  static fromBody(body: ErrorBody): GantryError {
    return new GantryError(body.code, body.kind, body.message, {
      retryable: body.retryable,
      ...(body.fields === undefined ? {} : { fields: body.fields }),
    });
  }

  /** Anything thrown, as an error body; a stranger's exception becomes `INTERNAL` and keeps its text out of sight. */
  static bodyOf(thrown: unknown): ErrorBody {
    if (thrown instanceof GantryError) return thrown.toBody();
    return {
      code: 'INTERNAL',
      kind: 'internal',
      message: 'Something went wrong on our side. Try again; if it stays, look at the service log.',
      retryable: false,
    };
  }
}
