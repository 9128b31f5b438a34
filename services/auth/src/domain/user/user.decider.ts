import type { Decider } from '@gantry/event-sourcing/decider';
import { decideUser, type UserCommand } from './user.decide.js';
import { evolveUser, type UserEvent } from './user.evolve.js';
import { unknownUser, type UserState } from './user.state.js';

export const userDecider: Decider<UserState, UserCommand, UserEvent> = {
  initialState: unknownUser,
  decide: decideUser,
  evolve: evolveUser,
};
