import type { LoggerService } from '@nestjs/common';
import type { Logger } from './logger.js';

/** Nest's own words go to the structured log: its chatter at debug level, its complaints at theirs. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.logger.debug(this.fields(rest), String(message));
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.logger.debug(this.fields(rest), String(message));
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.logger.trace(this.fields(rest), String(message));
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.logger.warn(this.fields(rest), String(message));
  }

  error(message: unknown, ...rest: unknown[]): void {
    if (message instanceof Error) this.logger.error({ ...this.fields(rest), err: message }, message.message);
    else this.logger.error(this.fields(rest), String(message));
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.logger.fatal(this.fields(rest), String(message));
  }

  /** Nest appends a stack (errors) and the class that speaks. */
  private fields(rest: unknown[]): Record<string, unknown> {
    const context = rest.at(-1);
    return {
      ...(typeof context === 'string' ? { nest: context } : {}),
      ...(rest.length > 1 && typeof rest[0] === 'string' ? { stack: rest[0] } : {}),
    };
  }
}
