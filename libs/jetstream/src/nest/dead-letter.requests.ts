import type { UserActor } from '@gantry/contracts/messaging/actor';
import {
  discardDeadLetter,
  getDeadLetter,
  listDeadLetters,
  replayDeadLetter,
} from '@gantry/contracts/messaging/dead-letters';
import type { OutputOf, ParsedInputOf, RequestContext, RequestContract } from '@gantry/contracts/messaging/request';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { Logger } from '@gantry/nest-platform/logger';
import type { ReplayTarget } from './replay-targets.js';
import type { DeadLetterOffice } from './dead-letter-office.js';
import { failureKind } from './failure-policy.js';
import type { RequestHandler } from './request-responder.js';

/** Replicas of all services share these requests: whoever takes one can answer it. */
export const DEAD_LETTER_GROUP = 'dead-letters';

/** What administrators may ask about dead letters, and the handlers, for the transport to answer. */
export function deadLetterRequests(
  office: DeadLetterOffice,
  targets: readonly ReplayTarget[],
  logger: Logger,
): { contract: RequestContract; handler: RequestHandler }[] {
  return [
    answer(listDeadLetters, (input) => office.list(input)),
    answer(getDeadLetter, ({ id }) => office.detail(id)),
    answer(discardDeadLetter, async ({ id }, admin) => {
      const letter = await office.discard(id, admin);
      logger.warn(
        { deadLetter: id, consumer: `${letter.stream}/${letter.consumer}`, by: admin },
        'dead letter discarded',
      );
      return letter;
    }),
    ...targets.map(({ stream, consumer, author }) =>
      answer(replayDeadLetter(stream, consumer), async ({ id }, admin) => {
        const { letter, message } = await office.openMessage(id);
        if (letter.stream !== stream || letter.consumer !== consumer) throw wrongConsumer();
        const fields = { deadLetter: id, consumer: `${stream}/${consumer}`, subject: message.subject, by: admin };
        try {
          await author.replay(message);
        } catch (error) {
          logger.warn({ ...fields, err: error }, 'dead letter failed again');
          throw failedAgain(error);
        }
        logger.warn(fields, 'dead letter replayed');
        return office.resolve(id, 'replayed', admin);
      }),
    ),
  ];
}

function answer<C extends RequestContract>(
  contract: C,
  handler: (input: ParsedInputOf<C>, admin: UserActor) => Promise<OutputOf<C>>,
): { contract: RequestContract; handler: RequestHandler } {
  return { contract, handler: async (input, { context }) => handler(input as ParsedInputOf<C>, adminOf(context)) };
}

/** Checked here as well as at the edge. */
function adminOf({ actor }: RequestContext): UserActor {
  if (actor.kind === 'user' && actor.role === 'admin') return actor;
  throw new GantryError('AUTH.ADMIN_ONLY', 'forbidden', 'Only an admin may do this. Ask one.');
}

function wrongConsumer(): GantryError {
  return new GantryError(
    'DEAD_LETTER.OTHER_CONSUMER',
    'invalid',
    'This dead letter belongs to another consumer. Replay it by its id only.',
  );
}

/** An outage passes by itself; anything else needs a person first. */
function failedAgain(error: unknown): GantryError {
  if (failureKind(error) === 'outage' && error instanceof GantryError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new GantryError(
    'DEAD_LETTER.FAILED_AGAIN',
    'conflict',
    `The message failed again and stays here: ${reason} Mend the cause, then replay it, or discard it.`,
    { cause: error },
  );
}
