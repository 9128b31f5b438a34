import { StreamBarrier } from '@gantry/jetstream/stream-barrier';
import { type CallHandler, type ExecutionContext, Inject, Injectable, type NestInterceptor } from '@nestjs/common';

/**
 * Before a request that reads the board: waits until the board shows all that was stored when the request came, so that a user
 * who submitted through one replica finds the task through any other.
 */
@Injectable()
export class CurrentBoard implements NestInterceptor {
  constructor(@Inject(StreamBarrier) private readonly barrier: StreamBarrier) {}

  async intercept(_context: ExecutionContext, next: CallHandler) {
    await this.barrier.reach();
    return next.handle();
  }
}
