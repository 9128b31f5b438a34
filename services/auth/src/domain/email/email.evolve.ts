import type { AuthEvent } from '@gantry/contracts/auth/auth-events';
import type { EmailState } from './email.state.js';

export type EmailEvent = Extract<AuthEvent, { type: 'EmailReserved' }>;

export function evolveEmail(_state: EmailState, event: EmailEvent): EmailState {
  return { status: 'reserved', userId: event.data.userId };
}
