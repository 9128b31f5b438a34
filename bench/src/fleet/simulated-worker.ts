import type { Heartbeat } from '@gantry/contracts/agents/heartbeat';
import type { EarlierReport, Report } from '@gantry/contracts/agents/report';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { timing } from '@gantry/contracts/messaging/timing';
import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import { publishJson } from '@gantry/jetstream/publisher';
import type { NatsConnection } from '@nats-io/transport-node';
import type { FleetSettings } from './fleet-protocol.js';

type Assignment = AssignEventData<'TaskAssigned'>;
type Said = Pick<Report, 'at' | 'report'>;

/**
 * The messages of an agent without the agent: heartbeats, reports and the last log chunk of each task, under the same
 * subjects and ids as a real one's. Nothing runs; it says so in its spec (`runtime: simulated`), its label and its queue.
 */
export class SimulatedWorker {
  readonly id: string;
  private readonly running = new Map<string, Assignment>();
  private beats = 0;
  private completed = 0;
  private assignSequence = 0;

  constructor(
    private readonly nc: NatsConnection,
    private readonly settings: FleetSettings,
    index: number,
    private readonly startedAt: number,
  ) {
    this.id = `simulated-${index}`;
  }

  async heartbeat(): Promise<void> {
    this.beats += 1;
    const { cpusPerWorker, maxTasksPerWorker } = this.settings;
    const heartbeat: Heartbeat = {
      workerId: this.id,
      session: `session-${this.startedAt}`,
      sequence: this.beats,
      sentAt: Date.now(),
      startedAt: this.startedAt,
      spec: {
        name: this.id,
        hostname: this.id,
        address: '127.0.0.1',
        os: 'simulated',
        agentVersion: '0.0.0',
        runtime: 'simulated',
        runtimeVersion: 'none',
        capacity: { cpu: cpusPerWorker, memoryMb: cpusPerWorker * 4_096, storageMb: 10_000_000 },
        gpus: [],
        labels: { simulated: 'true' },
        queues: ['simulated'],
        images: [],
        maxTasks: maxTasksPerWorker,
      },
      usage: { cpuPercent: 0, memoryUsedMb: 0, memoryTotalMb: cpusPerWorker * 4_096, storageUsedMb: 0, load1: 0 },
      running: [...this.running.values()].map(({ taskId, attempt }) => ({ taskId, attempt, phase: 'running' })),
      assignSequence: this.assignSequence,
      counters: { completed: this.completed, failed: 0 },
      leaving: false,
    };
    // Without a message id, like the agent's: the newest one per worker is all that the stream keeps.
    await publishJson(this.nc, subjects.fleet(this.id), heartbeat, { timeoutMs: 5_000 });
  }

  /** `sequence`: of the commit in ASSIGN, so that the scheduler knows what has been seen. */
  noteSequence(sequence: number): void {
    this.assignSequence = sequence;
  }

  /** As the agent does it: accepted, started, wait, end of log, exited; what happens within a moment is one message. */
  async run(assignment: Assignment): Promise<void> {
    const { taskId, attempt } = assignment;
    this.running.set(taskId, assignment);
    const containerId = `simulated-${taskId}-${attempt}`;
    const startedAt = Date.now();
    const start = [
      { at: startedAt, report: { type: 'accepted' } },
      { at: startedAt, report: { type: 'started', startedAt, containerId } },
    ] as const;
    let announced: Promise<void> | undefined;
    const announcement = setTimeout(() => {
      const [accepted, started] = start;
      announced = this.report(assignment, started, 'started', [accepted]);
    }, timing.reportLingerMs);
    if (this.settings.taskMs > 0) await new Promise((resolve) => setTimeout(resolve, this.settings.taskMs));
    const finishedAt = Date.now();
    await publishJson(
      this.nc,
      subjects.logs(this.id, taskId),
      { taskId, attempt, workerId: this.id, end: true, lines: [] },
      { msgId: `${taskId}:${attempt}:1` },
    );
    clearTimeout(announcement);
    const exit = { type: 'exited', outcome: 'exited', exitCode: 0, message: 'simulated: nothing ran' } as const;
    const report = { ...exit, startedAt, finishedAt, containerId };
    await this.report(assignment, { at: Date.now(), report }, 'exited', announced === undefined ? start : undefined);
    await announced;
    this.running.delete(taskId);
    this.completed += 1;
  }

  private async report(
    { taskId, attempt }: Assignment,
    said: Said,
    word: string,
    earlier: readonly EarlierReport[] | undefined,
  ): Promise<void> {
    const id = `${taskId}:${attempt}:${word}`;
    const message = { id, workerId: this.id, taskId, attempt, ...said, earlier };
    await publishJson(this.nc, subjects.report(this.id, taskId), message, { msgId: id });
  }
}

/** Streams that agents write to; made here where the service that usually makes them is not part of the measurement. */
export const agentStreams = [streams.fleet, streams.reports, streams.logs, streams.metrics];
