import { emailTaken } from '../user/user.errors.js';
import type { EmailEvent } from './email.evolve.js';
import type { EmailState } from './email.state.js';

export interface ReserveEmail {
  readonly type: 'ReserveEmail';
  readonly userId: string;
  readonly at: number;
}

/**
 * One address, one user. Reserving again for the same user is harmless: user ids are derived from the address, so the
 * registration that a crash cut off between the two steps is finished by the next try.
 */
export function decideEmail(command: ReserveEmail, state: EmailState): readonly EmailEvent[] {
  if (state.status === 'free') return [{ type: 'EmailReserved', data: { userId: command.userId, at: command.at } }];
  if (state.userId === command.userId) return [];
  throw emailTaken();
}
