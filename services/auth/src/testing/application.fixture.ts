import { generateKeyPairSync } from 'node:crypto';
import type { AuthEvent } from '@gantry/contracts/auth/auth-events';
import type { TokenPair, UserView } from '@gantry/contracts/auth/auth-requests';
import type { RequestContext } from '@gantry/contracts/messaging/request';
import { InMemoryEventStore } from '@gantry/event-sourcing/in-memory-event-store';
import { ManualClock } from '@gantry/kernel/clock';
import { SequentialIds } from '@gantry/kernel/ids';
import { Argon2PasswordHasher } from '../adapters/out/argon2-password-hasher.js';
import { JoseTokenSigner } from '../adapters/out/jose-token-signer.js';
import { randomSecretSource } from '../adapters/out/random-secret-source.js';
import type { KeyUsageStore } from '../application/key-usage-store.port.js';
import type { PasswordHasher } from '../application/password-hasher.port.js';
import type { RegistrationPolicy } from '../application/register-user.handler.js';
import { AuthApplication } from '../auth.application.js';

export const anonymous: RequestContext = { actor: { kind: 'anonymous' }, correlationId: 'test' };
export const client = { ip: '192.0.2.1', userAgent: 'test' };
export const password = 'correct horse battery';

export function contextOf(
  user: Pick<UserView, 'id' | 'name' | 'role'>,
  overrides: { role?: 'admin' | 'user' } = {},
): RequestContext {
  const { id, name, role } = user;
  return { actor: { kind: 'user', id, name, role: overrides.role ?? role }, correlationId: 'test' };
}

export class FakeKeyUsageStore implements KeyUsageStore {
  readonly saved = new Map<string, number>();

  load(): Promise<ReadonlyMap<string, number>> {
    return Promise.resolve(new Map(this.saved));
  }

  save(keyId: string, usedAt: number): Promise<void> {
    this.saved.set(keyId, usedAt);
    return Promise.resolve();
  }
}

export interface ApplicationFixture {
  readonly application: AuthApplication;
  readonly store: InMemoryEventStore<AuthEvent>;
  readonly clock: ManualClock;
  readonly keyUsageStore: FakeKeyUsageStore;
  readonly announced: { email: string; password: string }[];
  /** Types of everything stored, in order. */
  eventTypes(): string[];
  register(name: string): Promise<UserView>;
  logIn(name: string): Promise<TokenPair>;
  /** A logged-in admin with a password of its own. */
  admin(): Promise<UserView>;
  /** The same stream in a new process. */
  restart(): Promise<ApplicationFixture>;
  stop(): Promise<void>;
}

export interface FixtureOptions {
  readonly registration?: RegistrationPolicy;
  readonly hasher?: PasswordHasher;
  readonly store?: InMemoryEventStore<AuthEvent>;
  readonly clock?: ManualClock;
  readonly ids?: SequentialIds;
  readonly keyUsageStore?: FakeKeyUsageStore;
}

/** The cheapest cost that argon2 allows: these tests are about what happens around the hash. */
const cheapHasher = Argon2PasswordHasher.create({ memoryCost: 8, timeCost: 1, parallelism: 1 });
const signer = JoseTokenSigner.create(generateKeyPairSync('ed25519').privateKey);

/** The real application on a store in memory and a clock that stands still. */
export async function startApplication(options: FixtureOptions = {}): Promise<ApplicationFixture> {
  const store = options.store ?? new InMemoryEventStore<AuthEvent>();
  const clock = options.clock ?? new ManualClock();
  const ids = options.ids ?? new SequentialIds();
  const keyUsageStore = options.keyUsageStore ?? new FakeKeyUsageStore();
  const announced: { email: string; password: string }[] = [];
  const application = new AuthApplication({
    store,
    clock,
    ids,
    hasher: options.hasher ?? (await cheapHasher),
    signer: await signer,
    secrets: randomSecretSource,
    keyUsageStore,
    announcer: { announce: (firstLogIn) => announced.push(firstLogIn) },
    registration: options.registration ?? 'open',
  });
  const stopping = new AbortController();
  let following: Promise<void> = Promise.resolve();
  await new Promise<void>((resolve) => {
    following = application.follow(resolve, stopping.signal);
  });
  await application.keyUsage.exchange();

  const emailOf = (name: string): string => `${name}@example.org`;
  const stop = async (): Promise<void> => {
    stopping.abort();
    await following;
  };
  return {
    application,
    store,
    clock,
    keyUsageStore,
    announced,
    eventTypes: () => store.all.flatMap(({ commit }) => commit.events.map(({ type }) => type)),
    register: (name) => application.registerUser.handle({ email: emailOf(name), name, password }, anonymous),
    logIn: (name) => application.logIn.handle({ email: emailOf(name), password, ...client }, anonymous),
    admin: async () => {
      await application.ensureFirstAdmin.handle({ email: emailOf('root'), password });
      return (await application.logIn.handle({ email: emailOf('root'), password, ...client }, anonymous)).user;
    },
    restart: async () => {
      await stop();
      return startApplication({ ...options, store, clock, ids, keyUsageStore });
    },
    stop,
  };
}
