import type { AuthEvent } from '@gantry/contracts/auth/auth-events';
import type { EventStore } from '@gantry/event-sourcing/event-store.port';
import type { Clock } from '@gantry/kernel/clock';
import type { IdSource } from '@gantry/kernel/ids';
import { AccessPolicy } from './application/access-policy.js';
import { AuthAggregates } from './application/auth-aggregates.js';
import { ChangePasswordHandler } from './application/change-password.handler.js';
import { ChangeRoleHandler } from './application/change-role.handler.js';
import { CreateApiKeyHandler } from './application/create-api-key.handler.js';
import { EnsureFirstAdminHandler } from './application/ensure-first-admin.handler.js';
import { ExpireSessionsHandler } from './application/expire-sessions.handler.js';
import type { FirstLogInAnnouncer } from './application/first-log-in-announcer.port.js';
import type { KeyUsageStore } from './application/key-usage-store.port.js';
import { KeyUsage } from './application/key-usage.js';
import { LogInGuard } from './application/log-in-guard.js';
import { LogInHandler } from './application/log-in.handler.js';
import { LogOutHandler } from './application/log-out.handler.js';
import type { PasswordHasher } from './application/password-hasher.port.js';
import { RefreshSessionHandler } from './application/refresh-session.handler.js';
import { RegisterUserHandler, type RegistrationPolicy } from './application/register-user.handler.js';
import { RevokeApiKeyHandler } from './application/revoke-api-key.handler.js';
import { RevokeSessionHandler } from './application/revoke-session.handler.js';
import type { SecretSource } from './application/secret-source.port.js';
import { SessionStarter } from './application/session-starter.js';
import { TokenIssuer } from './application/token-issuer.js';
import type { TokenSigner } from './application/token-signer.port.js';
import { UpdateProfileHandler } from './application/update-profile.handler.js';
import { UserRegistration } from './application/user-registration.js';
import { VerifyApiKeyHandler } from './application/verify-api-key.handler.js';
import { DirectoryProjection } from './projections/directory/directory.projection.js';
import { DirectoryQuery } from './projections/directory/directory.query.js';

export interface AuthPorts {
  readonly store: EventStore<AuthEvent>;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly hasher: PasswordHasher;
  readonly signer: TokenSigner;
  readonly secrets: SecretSource;
  readonly keyUsageStore: KeyUsageStore;
  readonly announcer: FirstLogInAnnouncer;
  readonly registration: RegistrationPolicy;
  /** Whether the directory stands still for this subject of AUTH, behind a message that cannot be read. */
  readonly isUnreadable?: (subject: string) => boolean;
}

/** The whole service without Nest and NATS: what the module serves and what tests drive with ports of their own. */
export class AuthApplication {
  readonly directory = new DirectoryProjection();
  readonly signer: TokenSigner;
  readonly keyUsage: KeyUsage;
  readonly query: DirectoryQuery;

  readonly ensureFirstAdmin: EnsureFirstAdminHandler;
  readonly registerUser: RegisterUserHandler;
  readonly logIn: LogInHandler;
  readonly refreshSession: RefreshSessionHandler;
  readonly logOut: LogOutHandler;
  readonly revokeSession: RevokeSessionHandler;
  readonly expireSessions: ExpireSessionsHandler;
  readonly updateProfile: UpdateProfileHandler;
  readonly changePassword: ChangePasswordHandler;
  readonly changeRole: ChangeRoleHandler;
  readonly createApiKey: CreateApiKeyHandler;
  readonly revokeApiKey: RevokeApiKeyHandler;
  readonly verifyApiKey: VerifyApiKeyHandler;

  private readonly aggregates: AuthAggregates;

  constructor(private readonly ports: AuthPorts) {
    const { directory } = this;
    const { store, clock, ids, hasher, secrets } = ports;
    const aggregates = new AuthAggregates({ store, clock, ids }, directory);
    const access = new AccessPolicy(directory);
    const guard = new LogInGuard(clock);
    const tokens = new TokenIssuer(ports.signer);
    const registration = new UserRegistration(aggregates, directory, hasher);
    const starter = new SessionStarter(aggregates, directory, secrets, tokens);

    this.aggregates = aggregates;
    this.signer = ports.signer;
    this.keyUsage = new KeyUsage(ports.keyUsageStore);
    this.query = new DirectoryQuery(directory, access, this.keyUsage, clock);
    this.ensureFirstAdmin = new EnsureFirstAdminHandler(aggregates, directory, registration, secrets, ports.announcer);
    this.registerUser = new RegisterUserHandler(aggregates, access, registration, ports.registration);
    this.logIn = new LogInHandler(aggregates, directory, guard, hasher, starter);
    this.refreshSession = new RefreshSessionHandler(aggregates, directory, secrets, tokens);
    this.logOut = new LogOutHandler(aggregates, directory);
    this.revokeSession = new RevokeSessionHandler(aggregates, directory, access);
    this.expireSessions = new ExpireSessionsHandler(aggregates, directory);
    this.updateProfile = new UpdateProfileHandler(aggregates, access);
    this.changePassword = new ChangePasswordHandler(aggregates, directory, access, guard, hasher);
    this.changeRole = new ChangeRoleHandler(aggregates, directory, access);
    this.createApiKey = new CreateApiKeyHandler(aggregates, directory, access, secrets);
    this.revokeApiKey = new RevokeApiKeyHandler(aggregates, directory, access, this.keyUsage);
    this.verifyApiKey = new VerifyApiKeyHandler(directory, this.keyUsage, clock, ports.isUnreadable ?? (() => false));
  }

  /** Feeds the directory from the stream until `signal` aborts; `onCaughtUp` once, when all that was stored is taken in. */
  follow(
    onCaughtUp: () => void,
    signal: AbortSignal,
    onTakenIn: (streamSequence: number) => void = () => undefined,
  ): Promise<void> {
    return this.ports.store.follow({
      fromSequence: this.directory.appliedSequence + 1,
      onCommit: (stored, late) => {
        this.directory.apply(stored, late);
        this.aggregates.absorb(stored);
      },
      onPassed: onTakenIn,
      onCaughtUp,
      signal,
    });
  }
}
