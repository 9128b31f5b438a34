import { GantryError } from '@gantry/kernel/gantry-error';
import type { DirectoryProjection } from '../projections/directory/directory.projection.js';
import type { AuthAggregates } from './auth-aggregates.js';
import type { FirstLogInAnnouncer } from './first-log-in-announcer.port.js';
import type { SecretSource } from './secret-source.port.js';
import type { UserRegistration } from './user-registration.js';

export interface FirstAdmin {
  readonly email: string;
  /** Without one a password is generated, shown once, and must be changed. */
  readonly password?: string;
}

export type FirstAdminOutcome = 'exists' | 'registered' | 'email_taken';

/** Sees to it at boot that somebody can administrate. Runs after the directory has caught up and before requests are served. */
export class EnsureFirstAdminHandler {
  constructor(
    private readonly aggregates: AuthAggregates,
    private readonly directory: DirectoryProjection,
    private readonly registration: UserRegistration,
    private readonly secrets: SecretSource,
    private readonly announcer: FirstLogInAnnouncer,
  ) {}

  /** `email_taken`: there is no admin, and the address belongs to a user or another replica was first. */
  async handle(firstAdmin: FirstAdmin): Promise<FirstAdminOutcome> {
    if (this.directory.hasAdmin()) return 'exists';
    const { email } = firstAdmin;
    // Somebody else's account is never promoted: that would hand the installation to whoever registered the address.
    if (this.directory.userByEmail(email) !== undefined) return 'email_taken';
    const password = firstAdmin.password ?? this.secrets.next().slice(0, 24);
    // Shown before it is stored: a crash in between costs a useless line, the other order would lock everybody out for ever.
    if (firstAdmin.password === undefined) this.announcer.announce({ email, password });
    try {
      await this.registration.register(
        {
          email,
          name: 'Administrator',
          role: 'admin',
          password,
          mustChangePassword: firstAdmin.password === undefined,
        },
        () => this.aggregates.ownOrigin(),
      );
    } catch (error) {
      if (error instanceof GantryError && error.code === 'AUTH.EMAIL_TAKEN')
        return this.directory.hasAdmin() ? 'exists' : 'email_taken';
      throw error;
    }
    return 'registered';
  }
}
