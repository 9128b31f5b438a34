import type { registerUser, UserView } from '@gantry/contracts/auth/auth-requests';
import type { ParsedInputOf, RequestContext } from '@gantry/contracts/messaging/request';
import { GantryError } from '@gantry/kernel/gantry-error';
import { toUserView } from '../projections/directory/directory.views.js';
import type { AccessPolicy } from './access-policy.js';
import type { AuthAggregates } from './auth-aggregates.js';
import type { UserRegistration } from './user-registration.js';

export type RegistrationPolicy = 'open' | 'closed';

const registrationClosed = () =>
  new GantryError('AUTH.REGISTRATION_CLOSED', 'forbidden', 'Registration is closed here. Ask an admin for an account.');

/** Anybody may register where registration is open; where it is closed, admins register people. */
export class RegisterUserHandler {
  constructor(
    private readonly aggregates: AuthAggregates,
    private readonly access: AccessPolicy,
    private readonly registration: UserRegistration,
    private readonly policy: RegistrationPolicy,
  ) {}

  async handle(input: ParsedInputOf<typeof registerUser>, context: RequestContext): Promise<UserView> {
    if (this.policy === 'closed') {
      if (context.actor.kind === 'anonymous') throw registrationClosed();
      this.access.requireAdmin(context);
    }
    const user = await this.registration.register({ ...input, role: 'user', mustChangePassword: false }, () =>
      this.aggregates.origin(context),
    );
    return toUserView(user);
  }
}
