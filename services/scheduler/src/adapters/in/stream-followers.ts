import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import { heartbeatSchema } from '@gantry/contracts/agents/heartbeat';
import { streams } from '@gantry/contracts/messaging/streams';
import type { AssignEvent } from '@gantry/contracts/scheduling/assign-events';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import type { SnapshotDraft, SnapshotStore, StreamPosition } from '@gantry/event-sourcing/snapshot-store.port';
import { ConnectionState } from '@gantry/jetstream/connection-state';
import { followStream } from '@gantry/jetstream/follow-stream';
import { GapRepair } from '@gantry/jetstream/gap-repair';
import type { ConsumerHost } from '@gantry/jetstream/nest/consumer-host';
import { Quarantine, type QuarantineFollowOptions } from '@gantry/jetstream/quarantine';
import { SnapshotKeeper, type SnapshotPolicy } from '@gantry/jetstream/snapshot-keeper';
import { emptyCommitOf, storedCommitOf } from '@gantry/jetstream/stored-commit';
import { ensureStream, readableStream, removedFrom, waitForStream } from '@gantry/jetstream/stream-admin';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import type { Clock } from '@gantry/kernel/clock';
import type { BeforeApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { Leadership } from '../../application/leadership.js';
import type { SchedulingLoop } from '../../application/scheduling-loop.js';
import { BOARD_SNAPSHOT_VERSION } from '../../domain/cluster/board-snapshot.js';

export interface StreamFollowersOptions {
  readonly host: ConsumerHost;
  readonly loop: SchedulingLoop;
  readonly leadership: Leadership;
  readonly snapshots: SnapshotStore;
  readonly snapshotPolicy: Partial<SnapshotPolicy>;
  readonly clock: Clock;
}

/**
 * Makes the streams, takes in the newest snapshot, reads TASKS and ASSIGN from there on, and FLEET, and stays live. ASSIGN is read after TASKS, so that of its
 * assignments those that TASKS has not recorded yet are known before anything is decided.
 */
export class StreamFollowers implements OnModuleInit, BeforeApplicationShutdown {
  private readonly abort = new AbortController();
  private readonly keeper: SnapshotKeeper;
  private readonly positions = new Map<string, StreamPosition>();
  /** Newest message of each stream that was read, from which a position is made when a snapshot wants one. */
  private readonly last = new Map<string, StreamMessage>();
  private readonly tasks: Quarantine;
  /**
   * The commits on a worker's subject do not build on each other, and its fence needs the newest one: held aside they would stop the
   * worker, and so let its tasks be placed twice.
   */
  private readonly assignments: Quarantine;
  private readonly gaps: GapRepair;

  constructor(private readonly options: StreamFollowersOptions) {
    const { host, loop, snapshots, snapshotPolicy } = options;
    this.gaps = new GapRepair({
      logger: host.logger,
      signal: this.abort.signal,
      repair: async () => loop.closeRemoved(await removedFrom(host.nc, streams.tasks.name)),
      onGap: () => loop.onGap(),
      onRepaired: () => loop.onGapRepaired(),
    });
    this.tasks = new Quarantine(host, { stream: streams.tasks.name, consumer: 'scheduler-board', later: 'wait' });
    this.assignments = new Quarantine(host, {
      stream: streams.assign.name,
      consumer: 'scheduler-board',
      later: 'go on',
    });
    this.keeper = new SnapshotKeeper({
      nc: host.nc,
      store: snapshots,
      name: 'board',
      version: BOARD_SNAPSHOT_VERSION,
      logger: host.logger,
      policy: snapshotPolicy,
      capture: () => this.capture(),
    });
  }

  async onModuleInit(): Promise<void> {
    const { loop, leadership, clock } = this.options;
    const { nc, logger } = this.options.host;
    const began = clock.now();
    for (const stream of [streams.assign, streams.sched, streams.fleet]) await ensureStream(nc, stream);
    // The tasks service may start later, in any order: wait for as long as it takes.
    await waitForStream(nc, streams.tasks.name, { timeoutMs: Number.MAX_SAFE_INTEGER });
    const { signal } = this.abort;
    await this.restore();
    await this.caughtUp('TASKS', (onCaughtUp) =>
      this.tasks.follow({
        ...this.beginOf(streams.tasks.name),
        apply: (message) => loop.onTaskCommit(storedCommitOf<TaskEvent>(message)),
        onPassed: (message) => this.reached(streams.tasks.name, message),
        onStartOver: () => loop.onStartOver(streams.tasks.name),
        onGap: () => this.gaps.noticed(),
        onCaughtUp,
        signal,
      }),
    );
    await this.gaps.start();
    await this.caughtUp('ASSIGN', (onCaughtUp) =>
      this.assignments.follow({
        ...this.beginOf(streams.assign.name),
        apply: (message) => this.onAssignMessage(message),
        onPassed: (message) => this.reached(streams.assign.name, message),
        onStartOver: () => loop.onStartOver(streams.assign.name),
        onCaughtUp,
        signal,
      }),
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
    this.keeper.start();
    logger.info({ milliseconds: clock.now() - began, leading: loop.isLeading }, 'picture complete');
  }

  async beforeApplicationShutdown(): Promise<void> {
    const { leadership } = this.options;
    const { logger } = this.options.host;
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
    await this.keeper.stop();
    this.abort.abort();
  }

  private async restore(): Promise<void> {
    const { loop, host } = this.options;
    const { state } = await readableStream(host.nc, streams.assign.name);
    const restored = await this.keeper.restore((page) => loop.restore(page, state.first_seq));
    for (const [stream, position] of Object.entries(restored ?? {})) this.positions.set(stream, position);
  }

  private beginOf(stream: string): Pick<QuarantineFollowOptions, 'fromSequence' | 'held'> {
    const position = this.positions.get(stream);
    return { fromSequence: (position?.sequence ?? 0) + 1, held: position?.held };
  }

  private reached(stream: string, message: StreamMessage): void {
    this.last.set(stream, message);
    this.keeper.count();
  }

  private capture(): SnapshotDraft | undefined {
    const tasks = this.tasks.snapshot();
    const assignments = this.assignments.snapshot();
    if (tasks === undefined || assignments === undefined) return undefined;
    for (const [stream, held] of [
      [streams.tasks.name, tasks],
      [streams.assign.name, assignments],
    ] as const) {
      const last = this.last.get(stream);
      const position = this.positions.get(stream);
      if (last !== undefined)
        this.positions.set(stream, {
          sequence: last.streamSequence,
          commitId: last.headers?.get('Nats-Msg-Id') ?? '',
          held,
        });
      else if (position !== undefined) this.positions.set(stream, { ...position, held });
    }
    return { positions: Object.fromEntries(this.positions), entries: this.options.loop.snapshot() };
  }

  /** Also of what cannot be read the next append has to know the place. */
  private onAssignMessage(message: StreamMessage): void {
    const { loop } = this.options;
    try {
      loop.onAssignCommit(storedCommitOf<AssignEvent>(message));
    } catch (error) {
      loop.onAssignCommit(emptyCommitOf<AssignEvent>(streams.assign.name, message, 0));
      throw error;
    }
  }

  private onFleetMessage(message: StreamMessage, live: boolean): void {
    const parsed = heartbeatSchema.safeParse(jsonOf(message));
    if (!parsed.success || message.subject !== `fleet.${parsed.data.workerId}`) {
      this.options.host.logger.warn(
        { subject: message.subject, issues: parsed.error?.issues.slice(0, 3) },
        'heartbeat is unreadable',
      );
      return;
    }
    const now = this.options.clock.now();
    this.options.loop.onHeartbeat(parsed.data, live ? now : Math.min(now, message.timestampMs));
  }

  private watchConnection(): void {
    const { host, loop } = this.options;
    const unsubscribe = ConnectionState.of(host.nc).onChange((connected) => {
      if (connected) loop.onConnected();
      else loop.onDisconnected();
    });
    this.abort.signal.addEventListener('abort', unsubscribe, { once: true });
  }

  /** Starts a reading that goes on in the background; resolves at its first end. */
  private caughtUp(stream: string, read: (onCaughtUp: () => void) => Promise<void>): Promise<void> {
    const { loop } = this.options;
    const { health, logger } = this.options.host;
    return new Promise((resolve, reject) => {
      const onCaughtUp = (): void => {
        loop.onComplete(stream);
        resolve();
      };
      read(onCaughtUp).catch((error: unknown) => {
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
