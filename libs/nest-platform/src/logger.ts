import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';

/** `logger.info({ taskId }, 'stable message')`: fields first, then a message that never contains a value. */
export type Logger = PinoLogger;

export interface LoggerOptions {
  level: string;
  format: 'json' | 'pretty';
  /** Default: standard output. */
  destination?: DestinationStream;
}

/** Log lines leave the machine: whatever could be a secret is cut out, whoever logged it. */
const secrets = ['password', 'passwordHash', 'token', 'secret', 'authorization', 'cookie'];

export function createLogger(name: string, { level, format, destination }: LoggerOptions): Logger {
  const output = destination ?? pino.destination({ fd: 1, sync: false });
  return pino(
    {
      name,
      level,
      base: { name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: [...secrets, ...secrets.map((field) => `*.${field}`)], censor: '[hidden]' },
    },
    format === 'pretty' ? prettyStream(output) : output,
  );
}

/** One readable line an event, for a person at a terminal. */
function prettyStream(output: DestinationStream): DestinationStream {
  return {
    write(line: string): void {
      const {
        time,
        level,
        name,
        msg,
        pid: _pid,
        err,
        ...fields
      } = JSON.parse(line) as Record<string, unknown> & {
        msg?: string;
        err?: { stack?: string; message?: string };
      };
      const rest = Object.entries(fields).map(
        ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
      );
      const trouble = err === undefined ? '' : `\n  ${err.stack ?? err.message ?? JSON.stringify(err)}`;
      output.write(
        `${String(time).slice(11, 23)} ${String(level).toUpperCase().padEnd(5)} ${String(name)}: ${msg ?? ''}${rest.join('')}${trouble}\n`,
      );
    },
  };
}
