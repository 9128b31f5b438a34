import {
  discardDeadLetter,
  getDeadLetter,
  listDeadLetters,
  replayDeadLetter,
} from '@gantry/contracts/messaging/dead-letters';
import type { InputOf } from '@gantry/contracts/messaging/request';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { ServiceClient } from '../../adapters/service-client.js';
import type { Caller } from '../../security/caller.js';

/** What no handler could process. Any service that consumes streams answers; a replay goes to the letter's own consumer. */
export class DeadLetters {
  constructor(private readonly services: ServiceClient) {}

  list(input: InputOf<typeof listDeadLetters>, caller: Caller) {
    return this.services.ask(listDeadLetters, input, caller);
  }

  get(id: string, caller: Caller) {
    return this.services.ask(getDeadLetter, { id }, caller);
  }

  discard(id: string, caller: Caller) {
    return this.services.ask(discardDeadLetter, { id }, caller);
  }

  async replay(id: string, caller: Caller) {
    const { stream, consumer } = await this.get(id, caller);
    try {
      return await this.services.ask(replayDeadLetter(stream, consumer), { id }, caller);
    } catch (error) {
      if (!(error instanceof GantryError) || error.code !== 'SERVICE.UNAVAILABLE') throw error;
      throw new GantryError(
        'DEAD_LETTER.CONSUMER_AWAY',
        'unavailable',
        `The consumer ${consumer} of ${stream} did not answer. Look at the health of the services, then replay again.`,
        { cause: error },
      );
    }
  }
}
