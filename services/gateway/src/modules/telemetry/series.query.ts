import { z } from 'zod';
import { getSeries } from '@gantry/contracts/telemetry/telemetry-requests';
import type { InputOf, OutputOf } from '@gantry/contracts/messaging/request';
import type { ServiceClient } from '../../adapters/service-client.js';
import { invalidInput, parseInput } from '../../edge/parse-input.js';
import type { Caller } from '../../security/caller.js';
import type { TaskReader } from '../tasks/task-reader.js';

const argsSchema = z
  .object({
    source: z.enum(['host', 'task', 'gpu', 'fleet_host', 'fleet_gpu']),
    workerId: z.string().min(1).max(100).optional(),
    taskId: z.uuid('A task id is a UUID.').optional(),
    metrics: z.array(z.string()).min(1).max(20),
    from: z.int(),
    to: z.int(),
    bucketSeconds: z.int().min(1).max(86_400).optional(),
  })
  .refine(({ from, to }) => from < to, { path: ['to'], message: 'The end must be after the start.' });
export type SeriesArgs = z.input<typeof argsSchema>;

/** History of measurements. Of a task: only if the caller may see the task; of machines and the fleet: all who are logged in. */
export class SeriesQuery {
  constructor(
    private readonly services: ServiceClient,
    private readonly reader: Pick<TaskReader, 'get'>,
  ) {}

  async read(rawArgs: SeriesArgs, caller: Caller): Promise<OutputOf<typeof getSeries>> {
    const { source, workerId, taskId, metrics, from, to, bucketSeconds } = parseInput(argsSchema, rawArgs);
    if (taskId !== undefined) await this.reader.get(taskId, caller);
    const window = { metrics, from, to, ...(bucketSeconds === undefined ? {} : { bucketSeconds }) };
    return this.services.ask(getSeries, { source: sourceOf(source, workerId, taskId), ...window }, caller);
  }
}

function sourceOf(
  kind: z.output<typeof argsSchema>['source'],
  workerId: string | undefined,
  taskId: string | undefined,
): InputOf<typeof getSeries>['source'] {
  if (kind === 'fleet_host' || kind === 'fleet_gpu') {
    if (workerId !== undefined || taskId !== undefined)
      throw invalidInput([{ path: 'source', message: 'The fleet is all workers: leave workerId and taskId out.' }]);
    return { kind };
  }
  if (kind === 'host') {
    if (workerId === undefined) throw invalidInput([{ path: 'workerId', message: 'Name the worker.' }]);
    return { kind, workerId };
  }
  if (kind === 'task') {
    if (taskId === undefined) throw invalidInput([{ path: 'taskId', message: 'Name the task.' }]);
    return { kind, taskId };
  }
  if (workerId === undefined && taskId === undefined)
    throw invalidInput([{ path: 'workerId', message: 'Name the worker or the task.' }]);
  return { kind, ...(workerId === undefined ? {} : { workerId }), ...(taskId === undefined ? {} : { taskId }) };
}
