import type { updateProfile, UserView } from '@gantry/contracts/auth/auth-requests';
import type { ParsedInputOf, RequestContext } from '@gantry/contracts/messaging/request';
import { toUserView } from '../projections/directory/directory.views.js';
import type { AccessPolicy } from './access-policy.js';
import type { AuthAggregates } from './auth-aggregates.js';

export class UpdateProfileHandler {
  constructor(
    private readonly aggregates: AuthAggregates,
    private readonly access: AccessPolicy,
  ) {}

  async handle(input: ParsedInputOf<typeof updateProfile>, context: RequestContext): Promise<UserView> {
    const { userId, name } = input;
    this.access.requireSelf(context, userId);
    await this.aggregates.user(
      userId,
      { type: 'UpdateProfile', name, at: this.aggregates.now() },
      this.aggregates.origin(context),
    );
    return toUserView(this.access.requireSelf(context, userId));
  }
}
