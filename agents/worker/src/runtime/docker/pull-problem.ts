import { GantryError } from '@gantry/kernel/gantry-error';
import { imageProblem } from '../../domain/image-error.js';
import { RuntimeProblem } from '../container-runtime.port.js';
import { reasonOf, statusOf } from './docker-engine.js';

/** What an engine said of a pull in the middle of it, when its answer had a status already. */
export class EngineWord extends Error {
  override readonly name = 'EngineWord';
}

/** Nothing new was heard of a pull for so long that nothing will come. */
export class SilentPull extends Error {
  override readonly name = 'SilentPull';

  constructor(
    readonly idleMs: number,
    /** Of other things the engine still speaks. */
    readonly engineAnswers: boolean,
  ) {
    super('nothing was heard of the pull');
  }
}

/**
 * Whose fault a failed pull is. Only what the engine itself says of it can be the image's or its registry's, and uses up the user's
 * retries; all else is the machine's, and the next attempt goes to another one.
 */
export function pullProblem(image: string, error: unknown): { problem: RuntimeProblem; retryable: boolean } {
  const cause = { cause: error };
  if (error instanceof RuntimeProblem) return { problem: error, retryable: error.outcome === 'infrastructure_error' };
  if (error instanceof SilentPull) {
    const silence = `${error.idleMs / 1_000} s`;
    const problem = error.engineAnswers
      ? new RuntimeProblem(
          'image_error',
          `The pull of ${image} was given up: nothing has come from its registry for ${silence}. Check the registry; if it is only slow, raise GANTRY_WORKER_PULL_IDLE_MS on the worker.`,
          cause,
        )
      : new RuntimeProblem(
          'infrastructure_error',
          `The pull of ${image} was given up: the worker's container engine has said nothing for ${silence} and does not answer.`,
          cause,
        );
    return { problem, retryable: false };
  }
  if (error instanceof EngineWord || statusOf(error) !== undefined) {
    const { message, blame, retryable } = imageProblem(image, reasonOf(error));
    const outcome = blame === 'image' ? 'image_error' : 'infrastructure_error';
    return { problem: new RuntimeProblem(outcome, message, cause), retryable };
  }
  if (error instanceof GantryError)
    return { problem: new RuntimeProblem('infrastructure_error', error.message, cause), retryable: false };
  const message = `The worker's container engine did not bring the pull of ${image} to its end: ${reasonOf(error)}`;
  return { problem: new RuntimeProblem('infrastructure_error', message, cause), retryable: true };
}
