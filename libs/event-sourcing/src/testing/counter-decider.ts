import { GantryError } from '@gantry/kernel/gantry-error';
import type { Decider } from '../decider.js';
import type { CounterEvent } from './commit-builder.js';

export interface CounterState {
  total: number;
  closed: boolean;
}

export type CounterCommand = { type: 'Add'; amount: number } | { type: 'Close'; at: number };

/** A counter that can be closed. Adding nothing is no event; closing twice is no event; adding to a closed one is refused. */
export const counterDecider: Decider<CounterState, CounterCommand, CounterEvent> = {
  initialState: { total: 0, closed: false },
  decide: (command, state) => {
    if (command.type === 'Close') return state.closed ? [] : [{ type: 'Closed', data: { at: command.at } }];
    if (state.closed) throw new GantryError('COUNTER.CLOSED', 'conflict', 'This counter is closed. Open another one.');
    return command.amount === 0 ? [] : [{ type: 'Added', data: { amount: command.amount } }];
  },
  evolve: (state, event) =>
    event.type === 'Added' ? { ...state, total: state.total + event.data.amount } : { ...state, closed: true },
};
