import { z } from 'zod';
import { getTask } from '@gantry/contracts/tasks/task-requests';
import type { MetricBatch } from '@gantry/contracts/agents/metric-batch';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { ServiceClient } from '../../adapters/service-client.js';
import { parseInput } from '../../edge/parse-input.js';
import { principalOf, type Caller } from '../../security/caller.js';
import { visibleTo } from '../../security/principal.js';
import type { MetricFeed } from '../../subscriptions/metric-feed.js';
import type { TaskFeed } from '../../subscriptions/task-feed.js';
import type { TaskReader } from '../tasks/task-reader.js';

const requestSchema = z.object({
  workerId: z.string().max(100).optional(),
  taskId: z.uuid('A task id is a UUID.').optional(),
});

export type MetricUpdate = Pick<MetricBatch, 'workerId' | 'host' | 'gpus' | 'tasks'>;

const MAX_KNOWN_OWNERS = 50_000;

/** Live samples, cut to what a caller may see: machines are everybody's, tasks only their owner's and the admins'. */
export class LiveMetrics {
  /** A task never changes its owner, so an answer is good for ever. */
  private readonly owners = new Map<string, string | Promise<string | undefined>>();

  constructor(
    private readonly feed: MetricFeed,
    private readonly tasks: TaskFeed,
    private readonly reader: Pick<TaskReader, 'get'>,
    private readonly services: ServiceClient,
  ) {}

  async open(
    request: { workerId?: string; taskId?: string },
    caller: Caller,
  ): Promise<(signal: AbortSignal) => AsyncGenerator<MetricUpdate>> {
    const { workerId, taskId } = parseInput(requestSchema, request);
    if (taskId !== undefined) await this.reader.get(taskId, caller);
    const owner = visibleTo(principalOf(caller));
    const { feed } = this;
    const cut = (batch: MetricBatch) => this.cut(batch, taskId, owner);
    return async function* (signal) {
      for await (const batch of feed.batches(workerId, signal)) {
        const update = await cut(batch);
        if (update !== undefined) yield update;
      }
    };
  }

  private async cut(
    batch: MetricBatch,
    taskId: string | undefined,
    owner: string | null,
  ): Promise<MetricUpdate | undefined> {
    if (taskId !== undefined) {
      const tasks = batch.tasks.filter((sample) => sample.taskId === taskId);
      const gpus = batch.gpus.filter((sample) => sample.taskId === taskId);
      return tasks.length === 0 && gpus.length === 0 ? undefined : { workerId: batch.workerId, host: [], gpus, tasks };
    }
    const { workerId, host } = batch;
    if (owner === null) return { workerId, host, gpus: batch.gpus, tasks: batch.tasks };
    const ids = new Set([
      ...batch.tasks.map((sample) => sample.taskId),
      ...batch.gpus.flatMap(({ taskId: id }) => (id === null ? [] : [id])),
    ]);
    const own = new Set<string>();
    for (const id of ids) if ((await this.ownerOf(id)) === owner) own.add(id);
    return {
      workerId,
      host,
      gpus: batch.gpus.map((sample) =>
        sample.taskId === null || own.has(sample.taskId) ? sample : { ...sample, taskId: null },
      ),
      tasks: batch.tasks.filter((sample) => own.has(sample.taskId)),
    };
  }

  /** Undefined = unknown just now, which counts as somebody else's. */
  private ownerOf(taskId: string): string | Promise<string | undefined> {
    const known = this.tasks.latest(taskId)?.ownerId ?? this.owners.get(taskId);
    if (known !== undefined) return known;
    const asked = this.services
      .askAsGateway(getTask, { taskId, visibleTo: null }, `owner-of-${taskId}`)
      .then(({ task }) => {
        this.owners.set(taskId, task.ownerId);
        return task.ownerId;
      })
      .catch((error: unknown) => {
        this.owners.delete(taskId);
        if (error instanceof GantryError) return undefined;
        throw error;
      });
    this.owners.set(taskId, asked);
    if (this.owners.size > MAX_KNOWN_OWNERS) this.owners.delete(this.owners.keys().next().value ?? taskId);
    return asked;
  }
}
