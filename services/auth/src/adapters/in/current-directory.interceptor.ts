import { type CallHandler, type ExecutionContext, Inject, Injectable, type NestInterceptor } from '@nestjs/common';
import { StreamBarrier } from '@gantry/jetstream/stream-barrier';

/**
 * Before every request: waits until the directory shows all that was stored when the request came. Who registered, logged in,
 * refreshed or was locked out at one replica is that at every other one, too.
 */
@Injectable()
export class CurrentDirectory implements NestInterceptor {
  constructor(@Inject(StreamBarrier) private readonly barrier: StreamBarrier) {}

  async intercept(_context: ExecutionContext, next: CallHandler) {
    await this.barrier.reach();
    return next.handle();
  }
}
