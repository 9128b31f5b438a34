import { authEventSchemas, type AuthEvent } from '@gantry/contracts/auth/auth-events';
import { streams } from '@gantry/contracts/messaging/streams';
import { JetStreamEventStore } from '@gantry/jetstream/jetstream-event-store';
import type { ConsumerHost } from '@gantry/jetstream/nest/consumer-host';
import { Quarantine } from '@gantry/jetstream/quarantine';
import { StreamBarrier } from '@gantry/jetstream/stream-barrier';
import type { Clock } from '@gantry/kernel/clock';
import type { IdSource } from '@gantry/kernel/ids';
import { CLOCK, CONSUMER_HOST, IDS, NATS_CONNECTION } from '@gantry/nest-platform/tokens';
import type { NatsConnection } from '@nats-io/transport-node';
import { type DynamicModule, Module } from '@nestjs/common';
import { ApiKeyRequests } from './adapters/in/api-key.requests.js';
import { CurrentDirectory } from './adapters/in/current-directory.interceptor.js';
import { SessionRequests } from './adapters/in/session.requests.js';
import { SigningKeyRequests } from './adapters/in/signing-key.requests.js';
import { UserRequests } from './adapters/in/user.requests.js';
import { Argon2PasswordHasher, owaspCost } from './adapters/out/argon2-password-hasher.js';
import { JoseTokenSigner } from './adapters/out/jose-token-signer.js';
import { KvKeyUsageStore } from './adapters/out/key-usage.kv.js';
import { processFirstLogInAnnouncer } from './adapters/out/process-first-log-in-announcer.js';
import { randomSecretSource } from './adapters/out/random-secret-source.js';
import { openSigningKey } from './adapters/out/signing-key.file.js';
import { AuthApplication } from './auth.application.js';
import { AuthLifecycle } from './auth.lifecycle.js';
import { AUTH_SETTINGS, type AuthSettings } from './auth.tokens.js';

/** For tests that move time by hand. */
export interface AuthModuleOverrides {
  readonly clock?: Clock;
}

@Module({})
export class AuthModule {
  static register(settings: AuthSettings, overrides: AuthModuleOverrides = {}): DynamicModule {
    return {
      module: AuthModule,
      controllers: [UserRequests, SessionRequests, ApiKeyRequests, SigningKeyRequests],
      providers: [
        { provide: AUTH_SETTINGS, useValue: settings },
        {
          provide: AuthApplication,
          inject: [CONSUMER_HOST, CLOCK, IDS],
          useFactory: (host: ConsumerHost, clock: Clock, ids: IdSource) =>
            createApplication(settings, { host, clock: overrides.clock ?? clock, ids }),
        },
        {
          provide: StreamBarrier,
          inject: [NATS_CONNECTION],
          useFactory: (nc: NatsConnection) => new StreamBarrier(nc, streams.auth.name),
        },
        CurrentDirectory,
        AuthLifecycle,
      ],
    };
  }
}

async function createApplication(
  settings: AuthSettings,
  { host, clock, ids }: { host: ConsumerHost; clock: Clock; ids: IdSource },
): Promise<AuthApplication> {
  const { nc, logger } = host;
  const quarantine = new Quarantine(host, { stream: streams.auth.name, consumer: 'auth-directory', later: 'wait' });
  const { privateKey, exposed } = await openSigningKey(settings.signingKeyFile);
  if (exposed) logger.warn({ file: settings.signingKeyFile }, 'the signing key can be read by others: chmod 600 it');
  return new AuthApplication({
    store: new JetStreamEventStore<AuthEvent>(nc, streams.auth, { eventSchemas: authEventSchemas, quarantine }),
    clock,
    ids,
    hasher: await Argon2PasswordHasher.create(owaspCost),
    signer: await JoseTokenSigner.create(privateKey),
    secrets: randomSecretSource,
    keyUsageStore: new KvKeyUsageStore(nc),
    announcer: processFirstLogInAnnouncer,
    registration: settings.AUTH_REGISTRATION,
    isUnreadable: (subject) => quarantine.holds(subject),
  });
}
