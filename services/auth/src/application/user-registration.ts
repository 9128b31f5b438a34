import { deterministicId } from '@gantry/kernel/ids';
import type { Role } from '@gantry/contracts/messaging/actor';
import type { CommandOrigin } from '@gantry/event-sourcing/command-handler';
import { emailTaken } from '../domain/user/user.errors.js';
import type { DirectoryProjection } from '../projections/directory/directory.projection.js';
import type { UserRecord } from '../projections/directory/directory.records.js';
import type { AuthAggregates } from './auth-aggregates.js';
import { sha256Hex } from './digest.js';
import type { PasswordHasher } from './password-hasher.port.js';

export interface NewUser {
  /** Lower case. */
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly password: string;
  readonly mustChangePassword: boolean;
}

/**
 * Two fenced appends: reserve the address, then register the user. The user's id follows from the address, so whoever
 * repeats a registration that broke off in between continues it instead of finding the address taken.
 */
export class UserRegistration {
  constructor(
    private readonly aggregates: AuthAggregates,
    private readonly directory: DirectoryProjection,
    private readonly hasher: PasswordHasher,
  ) {}

  /** `newOrigin` is called once per append. Throws `AUTH.EMAIL_TAKEN`. */
  async register(user: NewUser, newOrigin: () => CommandOrigin): Promise<UserRecord> {
    const { email, name, role, password, mustChangePassword } = user;
    // Before hashing: a refused registration should cost nothing.
    if (this.directory.userByEmail(email) !== undefined) throw emailTaken();
    const passwordHash = await this.hasher.hash(password);
    const userId = deterministicId('user', email);
    const at = this.aggregates.now();
    await this.aggregates.email(sha256Hex(email), { type: 'ReserveEmail', userId, at }, newOrigin());
    await this.aggregates.user(
      userId,
      { type: 'RegisterUser', userId, email, name, role, passwordHash, mustChangePassword, at },
      newOrigin(),
    );
    const registered = this.directory.user(userId);
    if (registered === undefined) throw new Error('A stored registration is missing in the directory.');
    return registered;
  }
}
