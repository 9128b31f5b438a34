import { requestHeaders, type RequestContext } from '@gantry/contracts/messaging/request';
import { countTasks, submitTask } from '@gantry/contracts/tasks/task-requests';
import type { TaskSpecInput } from '@gantry/contracts/tasks/task-spec';
import type { TaskStatus } from '@gantry/contracts/tasks/task-status';
import { RequestClient } from '@gantry/jetstream/request-client';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { SUBMITTED_LABEL } from '../fleet/fleet-protocol.js';

const context: RequestContext = {
  actor: { kind: 'user', id: 'bench', name: 'Bench', role: 'admin' },
  correlationId: 'bench',
};
const encoder = new TextEncoder();

/** The smallest task; only simulated workers serve its queue. */
export const simulatedTask: TaskSpecInput = {
  name: 'no-op',
  image: 'simulated:none',
  command: ['true'],
  queue: 'simulated',
  resources: { cpu: 1, memoryMb: 8, storageMb: 0 },
};

/** The smallest task of a real agent with the process runtime. */
export const processTask: TaskSpecInput = {
  name: 'no-op',
  image: 'none',
  command: ['true'],
  resources: { cpu: 1, memoryMb: 16, storageMb: 16 },
};

/** Submits over the broker exactly as the gateway does, but does not look into the answers more than it must. */
export class Submitter {
  private readonly client: RequestClient;
  private readonly sentHeaders = headers();

  constructor(
    private readonly nc: NatsConnection,
    private readonly spec: TaskSpecInput = simulatedTask,
  ) {
    this.client = new RequestClient(nc);
    this.sentHeaders.set(requestHeaders.context, JSON.stringify(context));
  }

  async submit(spec = this.spec): Promise<void> {
    const body = encoder.encode(JSON.stringify({ spec }));
    const reply = await this.nc.request(submitTask.subject, body, { timeout: 20_000, headers: this.sentHeaders });
    if (reply.headers?.get(requestHeaders.status) !== 'ok') throw new Error(`refused: ${reply.string()}`);
  }

  /** `count` tasks, `concurrency` at a time, as fast as they are taken. Answers the seconds. */
  async submitMany(count: number, concurrency: number): Promise<number> {
    const startedAt = performance.now();
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < count) {
        next += 1;
        await this.submit();
      }
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, count) }, lane));
    return (performance.now() - startedAt) / 1_000;
  }

  /** One that carries the moment at which it was sent. */
  submitTimed(): Promise<void> {
    const at = String(performance.timeOrigin + performance.now());
    return this.submit({ ...simulatedTask, labels: { [SUBMITTED_LABEL]: at } });
  }

  async counts(): Promise<Record<TaskStatus, number>> {
    const { byStatus } = await this.client.request(countTasks, { visibleTo: null }, context);
    return byStatus;
  }

  /** Tasks that have not ended. */
  async active(): Promise<number> {
    const { queued, assigned, starting, running } = await this.counts();
    return queued + assigned + starting + running;
  }
}
