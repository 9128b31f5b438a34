import { createLogger } from '@gantry/nest-platform/logger';
import { runProcess } from './run-process.js';
import { startService, type StartServiceOptions } from './start-service.js';

/**
 * The whole `main.ts` of a service: connect, build the module, serve, and stop gracefully. Resolves when the service is ready.
 * Streams are ensured in a provider's async `onModuleInit`, which runs before anything is consumed.
 */
export function bootService(options: StartServiceOptions): Promise<void> {
  const { LOG_LEVEL: level, LOG_FORMAT: format } = options.environment;
  return runProcess(createLogger(options.name, { level, format }), () => startService(options));
}
