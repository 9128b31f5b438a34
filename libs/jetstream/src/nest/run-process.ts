import type { Logger } from '@gantry/nest-platform/logger';

/** After this long a stop is forced; a supervisor waits ten seconds before it kills. */
const STOP_LIMIT_MS = 8_000;

export interface StoppableProgram {
  logger: Logger;
  stop(): Promise<void>;
}

/**
 * The life of a process around a program: says when it is ready, stops it once on SIGTERM, SIGINT, the message
 * `{type:'stop'}` or the loss of its supervisor, and ends with 0; ends with 1 after an error that nobody caught.
 */
export async function runProcess(logger: Logger, start: () => Promise<StoppableProgram>): Promise<void> {
  let program: StoppableProgram | undefined;
  let stopping = false;

  const fail = (error: unknown, message: string): void => {
    logger.fatal({ err: error }, message);
    process.exit(1);
  };
  const stop = (reason: string): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ reason }, 'stopping');
    setTimeout(() => {
      logger.warn('stop took too long, leaving what is in hand to the next run');
      process.exit(0);
    }, STOP_LIMIT_MS).unref();
    if (program === undefined) process.exit(0);
    program.stop().then(
      () => {
        logger.info('stopped');
        process.exit(0);
      },
      (error: unknown) => fail(error, 'stop failed'),
    );
  };

  process.on('uncaughtException', (error) => fail(error, 'uncaught error'));
  process.on('unhandledRejection', (reason) => fail(reason, 'unhandled rejection'));
  process.once('SIGTERM', () => stop('SIGTERM'));
  process.once('SIGINT', () => stop('SIGINT'));
  process.once('disconnect', () => stop('supervisor gone'));
  process.on('message', (message) => {
    if (typeof message === 'object' && message !== null && 'type' in message && message.type === 'stop')
      stop('asked to');
  });

  try {
    program = await start();
  } catch (error) {
    fail(error, 'start failed');
    return;
  }
  logger.info('ready');
  if (process.connected) process.send?.({ type: 'ready' });
}
