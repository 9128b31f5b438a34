import { timing } from '@gantry/contracts/messaging/timing';
import type { Logger } from '@gantry/nest-platform/logger';
import type { Ending } from '../domain/attempt.state.js';
import { checkLease } from '../domain/lease.js';
import type { ContainerRuntime } from '../runtime/container-runtime.port.js';
import type { AgentStore } from './agent-store.js';
import type { AttemptRecord } from './attempt-record.js';
import type { LeaseRenewal } from './lease-renewal.js';

/**
 * Keeps the promise of leases while an agent that was restarted cannot reach the broker: containers of the earlier start run on, but
 * not beyond the lease that was last renewed. Works on records and containers, because nothing else exists before the connection.
 */
export class OfflineLeaseGuard {
  private timer: NodeJS.Timeout | undefined;
  private checking: Promise<void> = Promise.resolve();
  private readonly stopping = new Map<string, number>();

  constructor(
    private readonly store: Pick<AgentStore, 'attempts' | 'saveAttempt'>,
    private readonly runtime: Pick<ContainerRuntime, 'signal'>,
    private readonly renewal: Pick<LeaseRenewal, 'at' | 'now' | 'isPatient'>,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => {
      this.checking = this.check().catch((error: unknown) =>
        this.logger.warn({ err: error }, 'leases could not be checked'),
      );
    }, timing.leaseCheckMs);
  }

  /** Resolves when nothing of it is under way any more. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
    await this.checking;
  }

  /** Looks once. One container that cannot be signalled keeps no other from being stopped. */
  async check(): Promise<void> {
    await Promise.all(
      this.store.attempts().map(({ key, record }) =>
        this.enforce(key, record).catch((error: unknown) => {
          const { taskId, attempt } = record.assignment;
          this.logger.warn({ err: error, taskId, attempt }, 'lease could not be enforced yet');
        }),
      ),
    );
  }

  private async enforce(key: string, record: AttemptRecord): Promise<void> {
    const { assignment, state } = record;
    // One that was being started when the agent died may run as well.
    const containerId = 'containerId' in state && state.status !== 'collecting' ? state.containerId : undefined;
    if (containerId === undefined) return;
    const now = this.renewal.now();
    const killAt = this.stopping.get(key);
    if (killAt !== undefined) {
      // The next look would be too late by up to one interval.
      if (now + timing.leaseCheckMs >= killAt) await this.runtime.signal(containerId, 'SIGKILL');
      return;
    }
    const { over, graceMs } = checkLease(this.renewal.at, now, assignment.leaseMs, this.renewal.isPatient);
    if (!over) return;
    const { taskId, attempt } = assignment;
    this.logger.error({ taskId, attempt }, 'lease ended without a broker: container is stopped');
    const ending: Ending = { cause: 'lease_over', graceMs };
    // Written down first: whoever takes it up later knows why it ended.
    if (state.status === 'running')
      this.store.saveAttempt(key, { ...record, state: { ...state, status: 'stopping', ending, killed: false } });
    else if (state.status === 'creating' && state.ending === undefined)
      this.store.saveAttempt(key, { ...record, state: { ...state, ending } });
    this.stopping.set(key, now + graceMs);
    await this.runtime.signal(containerId, graceMs === 0 ? 'SIGKILL' : 'SIGTERM');
  }
}
