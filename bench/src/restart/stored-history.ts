import { randomUUID } from 'node:crypto';
import type { Commit, DomainEvent } from '@gantry/contracts/messaging/commit';
import { streams, subjects, type StreamDefinition } from '@gantry/contracts/messaging/streams';
import type { AssignEvent } from '@gantry/contracts/scheduling/assign-events';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import { taskSpecSchema, type TaskSpec } from '@gantry/contracts/tasks/task-spec';
import { jetStreamOf } from '@gantry/jetstream/publisher';
import { manager } from '@gantry/jetstream/stream-admin';
import type { NatsConnection } from '@nats-io/transport-node';

/** Publishes on their way at once; the broker stores them in the order in which they were sent. */
const IN_FLIGHT = 2_000;
/** Tasks whose lives are interleaved, as on a busy system. */
const SIDE_BY_SIDE = 500;
const WORKERS = 50;
const QUEUES = ['default', 'batch', 'night'];

/**
 * Writes the commits that real services would have left behind, straight into the streams, each with the fence and the message id
 * that readers rely on. As the only writer it knows every sequence beforehand, so nothing waits for an acknowledgement
 * but the window.
 */
export class StoredHistory {
  private readonly sequences = new Map<string, number>();
  private readonly heads = new Map<string, { sequence: number; version: number }>();
  private inFlight: Promise<void>[] = [];
  private failure: unknown;
  private clock = Date.now() - 20 * 3_600_000;
  private number = 0;

  private constructor(private readonly nc: NatsConnection) {}

  /** The streams must exist; what they hold stays. */
  static async on(nc: NatsConnection): Promise<StoredHistory> {
    const history = new StoredHistory(nc);
    const jsm = await manager(nc);
    for (const { name } of [streams.tasks, streams.assign])
      history.sequences.set(name, (await jsm.streams.info(name)).state.last_seq);
    return history;
  }

  /** Submitted, assigned, accepted, started and succeeded: five commits each in TASKS, and the assignments in ASSIGN. */
  async finished(count: number): Promise<void> {
    for (let done = 0; done < count; done += SIDE_BY_SIDE) {
      const tasks = Array.from({ length: Math.min(SIDE_BY_SIDE, count - done) }, () => this.newTask());
      const worker = (index: number): string => `w-${index % WORKERS}`;
      for (const task of tasks) await this.submit(task);
      for (let index = 0; index < Math.min(WORKERS, tasks.length); index += 1) {
        const given = tasks.filter((_, position) => position % WORKERS === index);
        await this.commit<AssignEvent>(
          streams.assign,
          worker(index),
          given.map(({ id, spec }) => ({ type: 'TaskAssigned', data: this.assignment(id, worker(index), spec) })),
        );
      }
      for (const [index, { id }] of tasks.entries()) {
        const { attempt, workerId, workerName, leaseMs, gpuIds, assignedAt } = this.assignment(id, worker(index));
        await this.task(id, {
          type: 'TaskAssigned',
          data: { attempt, workerId, workerName, leaseMs, gpuIds, assignedAt },
        });
      }
      for (const { id } of tasks)
        await this.task(id, { type: 'TaskStarting', data: { attempt: 1, phase: 'accepted', at: this.now() } });
      for (const { id } of tasks)
        await this.task(id, {
          type: 'TaskStarted',
          data: { attempt: 1, startedAt: this.now(), containerId: id.replaceAll('-', '').repeat(2) },
        });
      for (const { id } of tasks) {
        const usage = { cpuSeconds: 1.25, peakMemoryMb: 96, durationMs: 4_000 };
        await this.task(id, {
          type: 'TaskSucceeded',
          data: { attempt: 1, exitCode: 0, finishedAt: this.now(), usage },
        });
        this.heads.delete(id);
      }
    }
    await this.settle();
  }

  /** One commit each: they wait. */
  async queued(count: number): Promise<void> {
    for (let done = 0; done < count; done += 1) {
      const task = this.newTask();
      await this.submit(task);
      this.heads.delete(task.id);
    }
    await this.settle();
  }

  private newTask(): { id: string; spec: TaskSpec } {
    this.number += 1;
    const n = this.number;
    const spec = taskSpecSchema.parse({
      name: `train-${n}`,
      image: 'registry.example/team/trainer:1.4.2',
      command: ['python', 'train.py', '--seed', String(n), '--epochs', '3'],
      env: { DATASET: 's3://bucket/dataset', RUN: String(n) },
      resources: { cpu: 1 + (n % 4), memoryMb: 512 * (1 + (n % 8)), storageMb: 1_024, gpu: { count: 0 } },
      tags: ['bench', `group-${n % 100}`],
      queue: QUEUES[n % QUEUES.length] ?? 'default',
      priority: n % 3,
    });
    return { id: randomUUID(), spec };
  }

  private submit({ id, spec }: { id: string; spec: TaskSpec }): Promise<void> {
    const ownerId = `user-${this.number % 20}`;
    return this.task(id, {
      type: 'TaskSubmitted',
      data: { ownerId, ownerName: `User ${this.number % 20}`, spec, submittedAt: this.now() },
    });
  }

  private assignment(taskId: string, workerId: string, spec?: TaskSpec) {
    return {
      taskId,
      attempt: 1,
      ownerId: 'user-1',
      spec: spec ?? taskSpecSchema.parse({ name: 'none', image: 'none' }),
      workerId,
      workerName: workerId,
      gpuIds: [],
      leaseMs: 60_000,
      assignedAt: this.now(),
    };
  }

  private task(id: string, event: TaskEvent): Promise<void> {
    return this.commit(streams.tasks, id, [event]);
  }

  private async commit<Event extends DomainEvent>(
    stream: StreamDefinition,
    aggregateId: string,
    events: readonly Event[],
  ): Promise<void> {
    const head = this.heads.get(aggregateId) ?? { sequence: 0, version: 0 };
    const sequence = (this.sequences.get(stream.name) ?? 0) + 1;
    this.sequences.set(stream.name, sequence);
    const id = randomUUID();
    const commit: Commit<Event> = {
      id,
      stream: stream.name,
      aggregateId,
      version: head.version + 1,
      schemaVersion: 1,
      occurredAt: this.now(),
      actor: { kind: 'user', id: 'user-1', name: 'User 1', role: 'user' },
      correlationId: id,
      causationId: id,
      events,
    };
    this.heads.set(aggregateId, { sequence, version: head.version + 1 });
    const subject = stream.name === streams.tasks.name ? subjects.task(aggregateId) : subjects.assign(aggregateId);
    this.inFlight.push(
      jetStreamOf(this.nc)
        .publish(subject, JSON.stringify(commit), {
          msgID: id,
          expect: { lastSubjectSequence: head.sequence },
          timeout: 60_000,
        })
        .then((ack) => {
          if (ack.seq !== sequence) throw new Error(`${stream.name} has another writer: ${ack.seq}, not ${sequence}.`);
        })
        .catch((error: unknown) => {
          this.failure ??= error;
        }),
    );
    // Acknowledgements come in order: half of the window is waited for at a time.
    if (this.inFlight.length >= IN_FLIGHT) await Promise.all(this.inFlight.splice(0, IN_FLIGHT / 2));
    this.check();
  }

  private async settle(): Promise<void> {
    await Promise.all(this.inFlight.splice(0));
    this.check();
  }

  private check(): void {
    if (this.failure !== undefined)
      throw this.failure instanceof Error ? this.failure : new Error('A publish failed.', { cause: this.failure });
  }

  private now(): number {
    this.clock += 1;
    return this.clock;
  }
}
