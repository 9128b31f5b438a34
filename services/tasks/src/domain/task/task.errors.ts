import { GantryError } from '@gantry/kernel/gantry-error';

export const taskErrors = {
  /** Also for tasks that the caller may not see: their existence is not disclosed. */
  notFound: () =>
    new GantryError(
      'TASK.NOT_FOUND',
      'not_found',
      'There is no such task, or it is not yours. Check the id in your task list.',
    ),
  alreadyFinished: (status: string) =>
    new GantryError(
      'TASK.ALREADY_FINISHED',
      'conflict',
      `The task has ended (${status}); there is nothing left to cancel.`,
    ),
  notFinished: () =>
    new GantryError(
      'TASK.NOT_FINISHED',
      'conflict',
      'The task has not ended yet. Cancel it, wait for its end and try again.',
    ),
  idempotencyConflict: () =>
    new GantryError(
      'TASK.IDEMPOTENCY_CONFLICT',
      'conflict',
      'This idempotency key was used for a different task. Use a new key for a new task, or repeat the first one exactly.',
    ),
  specTooLarge: (bytes: number, limit: number) =>
    new GantryError(
      'TASK.SPEC_TOO_LARGE',
      'limit',
      `The task is ${bytes} bytes of JSON; at most ${limit} are accepted. Move large inputs into the image.`,
      {
        fields: [{ path: 'spec', message: `At most ${limit} bytes of JSON.` }],
      },
    ),
  /** The report overtook the scheduler's assignment: hold it and look again. Retryable. */
  assignmentNotSeen: () =>
    new GantryError(
      'TASK.ASSIGNMENT_NOT_SEEN',
      'unavailable',
      'The assignment of this attempt has not arrived yet. Send it again in a moment.',
      {
        retryable: true,
      },
    ),
  workerUnknown: (cause: unknown) =>
    new GantryError(
      'TASK.WORKER_UNKNOWN',
      'unavailable',
      'It cannot be found out now whether the task has a worker already. Try again in a moment.',
      { retryable: true, cause },
    ),
  foreignSubject: () =>
    new GantryError(
      'TASK.FOREIGN_REPORT',
      'forbidden',
      'The report names another worker or task than its subject. Send it under your own subject.',
    ),
  actorNotAllowed: () =>
    new GantryError('TASK.ACTOR_NOT_ALLOWED', 'forbidden', 'Only a logged-in user may do this. Log in and try again.'),
  visibilityNotAllowed: () =>
    new GantryError(
      'TASK.VISIBILITY_NOT_ALLOWED',
      'forbidden',
      'You may only look at your own tasks. Ask an administrator for others.',
    ),
} as const;

export const artifactErrors = {
  attemptNotCurrent: () =>
    new GantryError(
      'ARTIFACT.ATTEMPT_NOT_CURRENT',
      'conflict',
      'This attempt is over or belongs to another worker. Drop the upload.',
    ),
  tooMany: (limit: number) =>
    new GantryError(
      'ARTIFACT.TOO_MANY',
      'limit',
      `An attempt may keep at most ${limit} files. Pack them into an archive.`,
    ),
  tooLarge: (limit: number) =>
    new GantryError(
      'ARTIFACT.TOO_LARGE',
      'limit',
      `The upload goes beyond the limit of ${limit} bytes. Split the file.`,
    ),
  emptyChunk: () =>
    new GantryError(
      'ARTIFACT.EMPTY_CHUNK',
      'invalid',
      'A chunk needs at least one byte; an empty file is committed without chunks.',
    ),
  idMismatch: () =>
    new GantryError(
      'ARTIFACT.ID_MISMATCH',
      'invalid',
      'The artifact id does not belong to this task, attempt and path. Derive it from them.',
      {
        fields: [{ path: 'artifactId', message: 'Must be deterministicId(taskId, attempt, path).' }],
      },
    ),
  corrupt: (what: string) =>
    new GantryError(
      'ARTIFACT.CORRUPT',
      'conflict',
      `What was stored is not what was announced: ${what}. Upload the file again.`,
    ),
  notFound: () =>
    new GantryError('ARTIFACT.NOT_FOUND', 'not_found', 'There is no such artifact. List the artifacts of the task.'),
  unavailable: (cause: unknown) =>
    new GantryError(
      'ARTIFACT.UNAVAILABLE',
      'unavailable',
      'The artifact store did not answer in time. Try again in a moment.',
      { cause },
    ),
} as const;
