import type { Decider } from '@gantry/event-sourcing/decider';
import { decideEmail, type ReserveEmail } from './email.decide.js';
import { evolveEmail, type EmailEvent } from './email.evolve.js';
import { freeEmail, type EmailState } from './email.state.js';

export const emailDecider: Decider<EmailState, ReserveEmail, EmailEvent> = {
  initialState: freeEmail,
  decide: decideEmail,
  evolve: evolveEmail,
};
