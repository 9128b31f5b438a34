import { assertNever } from '@gantry/kernel/assert-never';
import { step } from './attempt.step.js';
import type { AttemptState, ContainerExit, Step } from './attempt.state.js';

/** What the engine has for an attempt when the agent starts again. */
export type Observed =
  | { readonly is: 'absent' }
  /** Made, never started. */
  | { readonly is: 'created'; readonly containerId: string }
  | { readonly is: 'running'; readonly containerId: string; readonly startedAt: number }
  | { readonly is: 'exited'; readonly containerId: string; readonly startedAt: number; readonly exit: ContainerExit };

/**
 * Takes up an attempt after a restart: what was written down, corrected by what the engine has. The engine is right about
 * the container, the record is right about intentions (a stop that was asked for).
 */
export function resume(state: AttemptState, observed: Observed, at: number): Step {
  switch (state.status) {
    case 'accepted':
    case 'pulling':
    case 'creating':
    case 'running':
    case 'stopping': {
      const ending = state.status === 'creating' || state.status === 'stopping' ? state.ending : undefined;
      if (observed.is === 'running' || observed.is === 'exited') {
        const { containerId, startedAt } = observed;
        const started = step(
          { status: 'creating', containerId, ...(ending === undefined ? {} : { ending }) },
          { type: 'started', startedAt },
        );
        // `supervise` finds a container that has ended and answers `exited`, after the rest of its log was read.
        return started;
      }
      if (state.status === 'running' || state.status === 'stopping') {
        return step(state, {
          type: 'container-lost',
          message: 'The container was gone when the agent came back, so nobody knows how it ended.',
          at,
        });
      }
      // An engine that is killed as well forgets what it had just started: made once, it is not begun again under this attempt.
      if (state.status === 'creating' && (ending !== undefined || state.containerId !== undefined))
        return step(state, {
          type: 'start-failed',
          outcome: 'infrastructure_error',
          message: 'The agent was gone while the container was being started, so nobody knows whether it ran.',
          at,
        });
      return step({ status: 'accepted' }, { type: 'begin' });
    }
    case 'collecting':
      if (state.collected) return { state, effects: [{ type: 'report-exited', result: state.result }] };
      return {
        state,
        effects: [
          { type: 'collect', artifacts: state.startedAt !== undefined && state.result.outcome !== 'cancelled' },
        ],
      };
    case 'done':
      return {
        state,
        effects: [{ type: 'clean-up', ...(observed.is === 'absent' ? {} : { containerId: observed.containerId }) }],
      };
    default:
      return assertNever(state, 'state');
  }
}
