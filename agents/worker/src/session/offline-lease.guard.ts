import type { Clock } from '@gantry/kernel/clock';
import type { Logger } from '@gantry/nest-platform/logger';
import type { Ending } from '../domain/attempt.state.js';
import { checkLease } from '../domain/lease.js';
import type { ContainerRuntime } from '../runtime/container-runtime.port.js';
import type { AgentStore } from './agent-store.js';

const CHECK_MS = 500;
/** A broker that answers at once decides by what it says; this long it gets for that. */
const FIRST_CHECK_MS = 3_000;

/**
 * Keeps the promise of leases while an agent that was restarted cannot reach the broker: containers of the earlier start run on, but
 * not beyond the lease that was last renewed. Works on records and containers, because nothing else exists before the connection.
 */
export class OfflineLeaseGuard {
  private timer: NodeJS.Timeout | undefined;
  private readonly stopping = new Map<string, number>();

  constructor(
    private readonly store: AgentStore,
    private readonly runtime: ContainerRuntime,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.timer = setTimeout(() => void this.check(), FIRST_CHECK_MS);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private async check(): Promise<void> {
    try {
      await this.enforce();
    } catch (error) {
      this.logger.warn({ err: error }, 'leases could not be checked');
    }
    if (this.timer !== undefined) this.timer = setTimeout(() => void this.check(), CHECK_MS);
  }

  private async enforce(): Promise<void> {
    const renewedAt = this.store.leaseRenewedAt();
    if (renewedAt === undefined) return;
    const now = this.clock.now();
    for (const { key, record } of this.store.attempts()) {
      const { assignment, state } = record;
      if (state.status !== 'running' && state.status !== 'stopping') continue;
      const { over, graceMs } = checkLease(renewedAt, now, assignment.leaseMs);
      if (!over) continue;
      const killAt = this.stopping.get(key);
      if (killAt === undefined) {
        const { taskId, attempt } = assignment;
        this.logger.error({ taskId, attempt }, 'lease ended without a broker: container is stopped');
        const ending: Ending = { cause: 'lease_over', graceMs };
        // Written down first: whoever takes it up later knows why it ended.
        if (state.status === 'running') {
          this.store.saveAttempt(key, { ...record, state: { ...state, status: 'stopping', ending, killed: false } });
        }
        this.stopping.set(key, now + graceMs);
        await this.runtime.signal(state.containerId, 'SIGTERM');
      } else if (now >= killAt) {
        await this.runtime.signal(state.containerId, 'SIGKILL');
      }
    }
  }
}
