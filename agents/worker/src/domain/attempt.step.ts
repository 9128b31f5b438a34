import { assertNever } from '@gantry/kernel/assert-never';
import { neverRan, resultOf } from './attempt-result.js';
import type { AttemptInput, AttemptResult, AttemptState, Ending, Step } from './attempt.state.js';

const stay = (state: AttemptState): Step => ({ state, effects: [] });

interface Where {
  readonly containerId?: string;
  readonly startedAt?: number;
}

function collect(result: AttemptResult, where: Where, artifacts: boolean): Step {
  return {
    state: {
      status: 'collecting',
      ...(where.containerId === undefined ? {} : { containerId: where.containerId }),
      ...(where.startedAt === undefined ? {} : { startedAt: where.startedAt }),
      result,
      collected: false,
    },
    effects: [{ type: 'collect', artifacts }],
  };
}

/** Files are worth keeping unless nobody may want them: the attempt was cancelled, or is no longer this worker's. */
function keepsArtifacts(result: AttemptResult): boolean {
  return result.outcome !== 'cancelled';
}

function end(state: AttemptState, ending: Ending, at: number): Step {
  switch (state.status) {
    case 'accepted':
    case 'pulling': {
      const step = collect(neverRan(ending, at), {}, false);
      return { state: step.state, effects: [{ type: 'abort-image' }, ...step.effects] };
    }
    case 'creating':
      // The engine is busy with it: what it answers (created, started, failed) decides how it is undone.
      if (state.ending === undefined) return { state: { ...state, ending }, effects: [{ type: 'abort-create' }] };
      // The first cause is what happened; a more urgent one only shortens the grace that it would get once started.
      if (ending.cause !== 'lease_over') return stay(state);
      return stay({ ...state, ending: { ...state.ending, graceMs: 0 } });
    case 'running':
      return {
        state: {
          status: 'stopping',
          containerId: state.containerId,
          startedAt: state.startedAt,
          ending,
          killed: false,
        },
        effects: [{ type: 'stop', containerId: state.containerId, graceMs: ending.graceMs }],
      };
    case 'stopping':
      // The first cause is what happened; a more urgent one only shortens the grace.
      if (state.killed || ending.graceMs >= state.ending.graceMs) return stay(state);
      return {
        state: { ...state, ending: { ...state.ending, graceMs: ending.graceMs } },
        effects: [{ type: 'stop', containerId: state.containerId, graceMs: ending.graceMs }],
      };
    case 'collecting':
      if (state.collected || ending.cause !== 'revoked' || state.result.outcome === 'cancelled') return stay(state);
      return {
        state: {
          ...state,
          result: {
            ...neverRan(ending, state.result.finishedAt),
            ...(state.result.exitCode === undefined ? {} : { exitCode: state.result.exitCode }),
            message: 'Cancelled after the container had ended, while its files were being stored.',
          },
        },
        effects: [{ type: 'abort-artifacts' }],
      };
    case 'done':
      return stay(state);
    default:
      return assertNever(state, 'state');
  }
}

/**
 * The whole life of one attempt. Inputs that no longer fit (a pull that ends after a cancel, a second exit) change nothing,
 * so the runner may deliver whatever the engine, the broker and its timers say in any order.
 */
export function step(state: AttemptState, input: AttemptInput): Step {
  switch (input.type) {
    case 'begin':
      if (state.status !== 'accepted') return stay(state);
      return { state, effects: [{ type: 'report-accepted' }, { type: 'prepare-image' }] };
    case 'pull-started':
      if (state.status !== 'accepted') return stay(state);
      return { state: { status: 'pulling' }, effects: [{ type: 'report-pulling' }] };
    case 'image-ready':
      if (state.status !== 'accepted' && state.status !== 'pulling') return stay(state);
      return { state: { status: 'creating' }, effects: [{ type: 'create' }] };
    case 'image-failed':
      if (state.status !== 'accepted' && state.status !== 'pulling') return stay(state);
      return collect({ outcome: input.outcome, message: input.message, finishedAt: input.at }, {}, false);
    case 'created':
      if (state.status !== 'creating' || state.containerId !== undefined) return stay(state);
      if (state.ending !== undefined)
        return collect(neverRan(state.ending, input.at), { containerId: input.containerId }, false);
      return {
        state: { status: 'creating', containerId: input.containerId },
        effects: [{ type: 'start', containerId: input.containerId }],
      };
    case 'create-failed':
    case 'start-failed':
      if (state.status !== 'creating') return stay(state);
      return collect(
        state.ending === undefined
          ? { outcome: input.outcome, message: input.message, finishedAt: input.at }
          : neverRan(state.ending, input.at),
        state,
        false,
      );
    case 'started': {
      if (state.status !== 'creating' || state.containerId === undefined) return stay(state);
      const { containerId, ending } = state;
      const { startedAt } = input;
      const effects = [
        { type: 'report-started', containerId, startedAt },
        { type: 'supervise', containerId, startedAt },
      ] as const;
      if (ending === undefined) return { state: { status: 'running', containerId, startedAt }, effects };
      // The grace of a lease ran from the moment it was over, and that is past: what started late is killed at once.
      const graceMs = ending.cause === 'lease_over' ? 0 : ending.graceMs;
      return {
        state: { status: 'stopping', containerId, startedAt, ending: { ...ending, graceMs }, killed: false },
        effects: [...effects, { type: 'stop', containerId, graceMs }],
      };
    }
    case 'end':
      return end(state, input.ending, input.at);
    case 'grace-over':
      if (state.status !== 'stopping' || state.killed) return stay(state);
      return { state: { ...state, killed: true }, effects: [{ type: 'kill', containerId: state.containerId }] };
    case 'exited': {
      if (state.status !== 'running' && state.status !== 'stopping') return stay(state);
      const result = resultOf(state.status === 'stopping' ? state.ending : undefined, input.exit);
      return collect(result, state, keepsArtifacts(result));
    }
    case 'container-lost':
      if (state.status !== 'running' && state.status !== 'stopping') return stay(state);
      return collect(
        {
          outcome:
            state.status === 'stopping' && state.ending.cause === 'revoked' ? 'cancelled' : 'infrastructure_error',
          message: input.message,
          finishedAt: input.at,
        },
        state,
        state.status === 'running',
      );
    case 'collected':
      if (state.status !== 'collecting' || state.collected) return stay(state);
      return { state: { ...state, collected: true }, effects: [{ type: 'report-exited', result: state.result }] };
    case 'exit-acknowledged':
      if (state.status !== 'collecting') return stay(state);
      return {
        state: { status: 'done' },
        effects: [{ type: 'clean-up', ...(state.containerId === undefined ? {} : { containerId: state.containerId }) }],
      };
    default:
      return assertNever(input, 'input');
  }
}
