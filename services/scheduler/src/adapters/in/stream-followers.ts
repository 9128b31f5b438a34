import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import { heartbeatSchema } from '@gantry/contracts/agents/heartbeat';
import { streams } from '@gantry/contracts/messaging/streams';
import type { AssignEvent } from '@gantry/contracts/scheduling/assign-events';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import type { EventStore } from '@gantry/event-sourcing/event-store.port';
import { ConnectionState } from '@gantry/jetstream/connection-state';
import { followStream } from '@gantry/jetstream/follow-stream';
import { ensureStream, waitForStream } from '@gantry/jetstream/stream-admin';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import type { Clock } from '@gantry/kernel/clock';
import type { HealthState } from '@gantry/nest-platform/health';
import type { Logger } from '@gantry/nest-platform/logger';
import type { NatsConnection } from '@nats-io/transport-node';
import type { BeforeApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { Leadership } from '../../application/leadership.js';
import type { SchedulingLoop } from '../../application/scheduling-loop.js';

export interface StreamFollowersOptions {
  readonly nc: NatsConnection;
  readonly loop: SchedulingLoop;
  readonly leadership: Leadership;
  readonly taskStore: EventStore<TaskEvent>;
  readonly assignStore: EventStore<AssignEvent>;
  readonly clock: Clock;
  readonly health: HealthState;
  readonly logger: Logger;
}

/**
 * Makes the streams, reads TASKS, ASSIGN and FLEET from the start and stays live. ASSIGN is read after TASKS, so that of its
 * assignments those that TASKS has not recorded yet are known before anything is decided.
 */
export class StreamFollowers implements OnModuleInit, BeforeApplicationShutdown {
  private readonly abort = new AbortController();

  constructor(private readonly options: StreamFollowersOptions) {}

  async onModuleInit(): Promise<void> {
    const { nc, loop, leadership, taskStore, assignStore, clock, logger } = this.options;
    const began = clock.now();
    for (const stream of [streams.assign, streams.sched, streams.fleet]) await ensureStream(nc, stream);
    // The tasks service may start later, in any order: wait for as long as it takes.
    await waitForStream(nc, streams.tasks.name, { timeoutMs: Number.MAX_SAFE_INTEGER });
    const { signal } = this.abort;
    await this.caughtUp('TASKS', (onCaughtUp) =>
      taskStore.follow({ fromSequence: 1, onCommit: (stored) => loop.onTaskCommit(stored), onCaughtUp, signal }),
    );
    await this.caughtUp('ASSIGN', (onCaughtUp) =>
      assignStore.follow({ fromSequence: 1, onCommit: (stored) => loop.onAssignCommit(stored), onCaughtUp, signal }),
    );
    let live = false;
    await this.caughtUp('FLEET', (onCaughtUp) =>
      followStream(nc, streams.fleet.name, {
        fromSequence: 1,
        onMessage: (message) => this.onFleetMessage(message, live),
        onCaughtUp,
        signal,
      }),
    );
    live = true;
    loop.onConnected();
    this.watchConnection();
    await leadership.start();
    logger.info({ milliseconds: clock.now() - began, leading: loop.isLeading }, 'picture complete');
  }

  async beforeApplicationShutdown(): Promise<void> {
    const { leadership, logger } = this.options;
    // Without a broker nothing can be handed over: the next leader then waits for the lease to run out.
    const deadline = new AbortController();
    const stopping = leadership
      .stop()
      .catch((error: unknown) => logger.warn({ error }, 'leadership was not handed over'));
    await Promise.race([
      stopping,
      setTimeoutPromise(4_000, undefined, { signal: deadline.signal }).catch(() => undefined),
    ]);
    deadline.abort();
    this.abort.abort();
  }

  private onFleetMessage(message: StreamMessage, live: boolean): void {
    const parsed = heartbeatSchema.safeParse(jsonOf(message));
    if (!parsed.success || message.subject !== `fleet.${parsed.data.workerId}`) {
      this.options.logger.warn(
        { subject: message.subject, issues: parsed.error?.issues.slice(0, 3) },
        'heartbeat is unreadable',
      );
      return;
    }
    const now = this.options.clock.now();
    this.options.loop.onHeartbeat(parsed.data, live ? now : Math.min(now, message.timestampMs));
  }

  private watchConnection(): void {
    const { nc, loop } = this.options;
    const unsubscribe = ConnectionState.of(nc).onChange((connected) => {
      if (connected) loop.onConnected();
      else loop.onDisconnected();
    });
    this.abort.signal.addEventListener('abort', unsubscribe, { once: true });
  }

  /** Starts a reading that goes on in the background; resolves at its first end. */
  private caughtUp(stream: string, read: (onCaughtUp: () => void) => Promise<void>): Promise<void> {
    const { health, logger } = this.options;
    return new Promise((resolve, reject) => {
      read(resolve).catch((error: unknown) => {
        reject(error instanceof Error ? error : new Error(String(error)));
        if (this.abort.signal.aborted) return;
        logger.error({ error, stream }, 'reading of a stream ended');
        health.set(`stream-${stream}`, 'unhealthy', `The reading of stream ${stream} ended; restart the service.`);
      });
    });
  }
}

function jsonOf(message: StreamMessage): unknown {
  try {
    return message.json();
  } catch {
    return undefined;
  }
}
