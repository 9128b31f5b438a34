import type { Decider } from '@gantry/event-sourcing/decider';
import { decideSession, type SessionCommand } from './session.decide.js';
import { evolveSession, type SessionEvent } from './session.evolve.js';
import { noSession, type SessionState } from './session.state.js';

export const sessionDecider: Decider<SessionState, SessionCommand, SessionEvent> = {
  initialState: noSession,
  decide: decideSession,
  evolve: evolveSession,
};
