import type { DomainEvent } from '@gantry/contracts/messaging/commit';

/**
 * The smallest useful domain interface. Both functions are pure: no clock, no random, no I/O; time and ids arrive in the command.
 * `decide` returns the events that the command causes (none = nothing to do, which is how duplicates become harmless) or
 * throws a `GantryError`.
 */
export interface Decider<State, Command, Event extends DomainEvent> {
  readonly initialState: State;
  decide(command: Command, state: State): readonly Event[];
  evolve(state: State, event: Event): State;
}

/** Folds events onto a state. */
export function fold<State, Event extends DomainEvent>(
  decider: Pick<Decider<State, never, Event>, 'evolve'>,
  state: State,
  events: readonly Event[],
): State {
  return events.reduce((current, event) => decider.evolve(current, event), state);
}
