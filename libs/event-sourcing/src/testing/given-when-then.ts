import type { DomainEvent } from '@gantry/contracts/messaging/commit';
import { type Decider, fold } from '../decider.js';
import { expect } from 'vitest';

export interface WhenStep<Command, Event extends DomainEvent> {
  when(command: Command): ThenStep<Event>;
}

export interface ThenStep<Event extends DomainEvent> {
  /** Exactly these events, in this order; no arguments (or an empty list) = nothing happens. */
  then(events: readonly Event[]): void;
  /** The decision is refused with this error code. */
  thenThrows(code: string): void;
}

/** `given(decider, events).when(command).then(events)`: the whole specification of a decision. */
export function given<State, Command, Event extends DomainEvent>(
  decider: Decider<State, Command, Event>,
  events: readonly Event[],
): WhenStep<Command, Event> {
  const state = fold(decider, decider.initialState, events);
  return {
    when: (command) => ({
      then: (expected) => expect(decider.decide(command, state)).toEqual(expected),
      thenThrows: (code) => {
        let thrown: unknown;
        let decided: readonly Event[] | undefined;
        try {
          decided = decider.decide(command, state);
        } catch (error) {
          thrown = error;
        }
        expect(thrown, `expected ${code}, but it decided ${JSON.stringify(decided)}`).toMatchObject({ code });
      },
    }),
  };
}
