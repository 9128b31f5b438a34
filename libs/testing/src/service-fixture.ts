import { type RunningService, startService, type StartServiceOptions } from '@gantry/jetstream/nest/start-service';
import { readBaseEnvironment } from '@gantry/nest-platform/environment';

export interface TestServiceOptions extends Pick<StartServiceOptions, 'name' | 'module'> {
  natsUrl: string;
  /** Broker user, for tests of permissions. */
  user?: string;
  password?: string;
  /** Default: silent. */
  logLevel?: string;
}

/** Boots a service's module in this process with the real transport against a real broker. */
export function startTestService({
  name,
  module,
  natsUrl,
  user,
  password,
  logLevel = 'silent',
}: TestServiceOptions): Promise<RunningService> {
  const environment = readBaseEnvironment({
    NATS_URL: natsUrl,
    NATS_USER: user,
    NATS_PASSWORD: password,
    LOG_LEVEL: logLevel,
  });
  return startService({ name, module, environment });
}
