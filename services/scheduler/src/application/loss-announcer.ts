import type { Heartbeat } from '@gantry/contracts/agents/heartbeat';
import type { Commit } from '@gantry/contracts/messaging/commit';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import type { SchedEvent } from '@gantry/contracts/scheduling/assign-events';
import type { EventStore } from '@gantry/event-sourcing/event-store.port';
import type { Clock } from '@gantry/kernel/clock';
import type { IdSource } from '@gantry/kernel/ids';
import type { Logger } from '@gantry/nest-platform/logger';
import type { Cluster, Loss } from '../domain/cluster/cluster.js';
import type { PendingReports, StoredHeartbeats } from './scheduling.ports.js';

export interface LossAnnouncerPorts {
  readonly cluster: Cluster;
  readonly store: EventStore<SchedEvent>;
  readonly pendingReports: PendingReports;
  readonly storedHeartbeats: StoredHeartbeats;
  /** A heartbeat that the stream's reader may not have come to yet. */
  onHeartbeat(heartbeat: Heartbeat): void;
  /** False once the leadership may be over: what was looked up before that is old news. */
  mayDecide(): boolean;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
}

/** Writes stream SCHED: workers that joined, workers and attempts that are lost. One announcement at a time. */
export class LossAnnouncer {
  private readonly tails = new Map<string, { sequence: number; version: number }>();
  private running: Promise<void> = Promise.resolve();
  private sweeping = false;

  constructor(private readonly ports: LossAnnouncerPorts) {}

  joined(workerId: string, name: string, session: string, at: number): void {
    this.enqueue(workerId, { type: 'WorkerJoined', data: { workerId, name, session, at } });
  }

  /** Announces what is lost at `now`, unless a sweep is still under way. */
  sweep(now: number): void {
    if (this.sweeping) return;
    const losses = this.ports.cluster.findLosses(now);
    if (losses.length === 0) return;
    this.sweeping = true;
    this.running = this.running
      .then(() => this.announceAll(losses, now))
      .finally(() => {
        this.sweeping = false;
      });
  }

  idle(): Promise<void> {
    return this.running;
  }

  private async announceAll(losses: readonly Loss[], now: number): Promise<void> {
    for (const loss of losses) {
      try {
        await this.announce(loss, now);
      } catch (error) {
        // Not marked as reported, so the next sweep tries again.
        this.ports.logger.warn({ error, workerId: loss.workerId }, 'loss could not be announced');
      }
    }
  }

  private async announce(loss: Loss, now: number): Promise<void> {
    const { cluster, logger } = this.ports;
    if (loss.leaseOver && (await this.hasRenewed(loss))) return;
    const waiting = await Promise.all(
      loss.tasks.map(({ taskId }) => this.ports.pendingReports.has(loss.workerId, taskId)),
    );
    // A report that nobody has read yet may say how the task ended; such a task is looked at again in the next sweep.
    const tasks = loss.tasks.filter((_, index) => waiting[index] === false);
    if (tasks.length === 0 && loss.tasks.length > 0) return;
    if (!this.ports.mayDecide()) return;
    const { workerId, lastHeartbeatAt, reason } = loss;
    const event: SchedEvent =
      loss.kind === 'worker'
        ? { type: 'WorkerLost', data: { workerId, at: now, lastHeartbeatAt, tasks } }
        : { type: 'AssignmentsLost', data: { workerId, at: now, reason, tasks } };
    await this.append(workerId, event);
    cluster.markReported({ ...loss, tasks }, now);
    logger.warn({ workerId, kind: loss.kind, tasks: tasks.length }, 'attempts lost');
  }

  /**
   * The agent's lease counts from what the broker has acknowledged. Reading may lag behind that by any time (this process was
   * paused, a connection hung), so the broker is asked before a task is given away.
   */
  private async hasRenewed(loss: Loss): Promise<boolean> {
    const { cluster, storedHeartbeats, clock } = this.ports;
    const newest = await storedHeartbeats.newest(loss.workerId);
    if (newest !== undefined) this.ports.onHeartbeat(newest);
    return !cluster.isStillLost(loss, clock.now());
  }

  private enqueue(workerId: string, event: SchedEvent): void {
    this.running = this.running.then(async () => {
      try {
        await this.append(workerId, event);
      } catch (error) {
        this.ports.logger.warn({ error, workerId }, 'worker event could not be stored');
      }
    });
  }

  private async append(workerId: string, event: SchedEvent): Promise<void> {
    const { store, clock, ids } = this.ports;
    const subject = subjects.sched('worker', workerId);
    let tail = this.tails.get(workerId);
    if (tail === undefined) {
      const last = (await store.load(subject)).at(-1);
      tail = { sequence: last?.streamSequence ?? 0, version: last?.commit.version ?? 0 };
    }
    const id = ids.next();
    const commit: Commit<SchedEvent> = {
      id,
      stream: streams.sched.name,
      aggregateId: workerId,
      version: tail.version + 1,
      schemaVersion: 1,
      occurredAt: clock.now(),
      actor: { kind: 'service', id: 'scheduler' },
      correlationId: id,
      causationId: id,
      events: [event],
    };
    // A failed append leaves the tail unknown: it is read again before the next one.
    this.tails.delete(workerId);
    const { streamSequence } = await store.append(subject, commit, tail.sequence);
    this.tails.set(workerId, { sequence: streamSequence, version: commit.version });
  }
}
