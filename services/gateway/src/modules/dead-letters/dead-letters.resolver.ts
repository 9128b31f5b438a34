import { Inject } from '@nestjs/common';
import { Args, Context, Mutation, Query, Resolver } from '@nestjs/graphql';
import { listDeadLetters } from '@gantry/contracts/messaging/dead-letters';
import { withoutNulls } from '../../edge/graphql-arguments.js';
import { parseInput } from '../../edge/parse-input.js';
import type { Caller } from '../../security/caller.js';
import { DeadLetters } from './dead-letters.js';

@Resolver()
export class DeadLettersResolver {
  constructor(@Inject(DeadLetters) private readonly deadLetters: DeadLetters) {}

  @Query('deadLetters')
  list(@Args() args: unknown, @Context('caller') caller: Caller) {
    return this.deadLetters.list(parseInput(listDeadLetters.input, withoutNulls(args)), caller);
  }

  @Query('deadLetter')
  get(@Args('id') id: string, @Context('caller') caller: Caller) {
    return this.deadLetters.get(id, caller);
  }

  @Mutation('replayDeadLetter')
  replay(@Args('id') id: string, @Context('caller') caller: Caller) {
    return this.deadLetters.replay(id, caller);
  }

  @Mutation('discardDeadLetter')
  discard(@Args('id') id: string, @Context('caller') caller: Caller) {
    return this.deadLetters.discard(id, caller);
  }
}
