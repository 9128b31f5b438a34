import type { Logger } from '@gantry/nest-platform/logger';

/** A supervisor waits ten seconds before it kills. */
const STOP_WITHIN_MS = 8_000;

/**
 * Starts, tells a parent process `{type: 'ready'}`, and stops on SIGTERM, SIGINT, the message `{type: 'stop'}` or when the
 * parent is gone. What is neither caught nor expected ends the process with code 1.
 */
export async function runUntilStopped(logger: Logger, start: () => Promise<() => Promise<void>>): Promise<void> {
  const fail = (error: unknown) => {
    logger.fatal({ err: error }, 'stopped by an error');
    process.exit(1);
  };
  process.once('uncaughtException', fail);
  process.once('unhandledRejection', fail);

  const starting = start();
  let stopping = false;
  const stop = (reason: string) => {
    if (stopping) return;
    stopping = true;
    logger.info({ reason }, 'stopping');
    const deadline = setTimeout(() => {
      logger.warn('stopped before everything was finished');
      process.exit(0);
    }, STOP_WITHIN_MS);
    starting
      .then((close) => close())
      .then(() => {
        clearTimeout(deadline);
        process.exit(0);
      }, fail);
  };
  process.once('SIGTERM', () => stop('SIGTERM'));
  process.once('SIGINT', () => stop('SIGINT'));
  process.once('disconnect', () => stop('parent is gone'));
  process.on('message', (message: unknown) => {
    if (typeof message === 'object' && message !== null && 'type' in message && message.type === 'stop')
      stop('asked by the parent');
  });

  try {
    await starting;
  } catch (error) {
    fail(error);
  }
  process.send?.({ type: 'ready' });
}
