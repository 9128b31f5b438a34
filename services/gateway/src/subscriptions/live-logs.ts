import { z } from 'zod';
import { readLogs } from '@gantry/contracts/telemetry/telemetry-requests';
import type { ServiceClient } from '../adapters/service-client.js';
import { parseInput } from '../edge/parse-input.js';
import type { TaskReader } from '../modules/tasks/task-reader.js';
import type { Caller } from '../security/caller.js';
import type { LogBatch } from './log-cursor.js';
import { tailLogs, type LogTailPorts } from './log-tail.js';
import type { StreamReader } from './stream-reader.port.js';
import type { TaskFeed } from './task-feed.js';

const requestSchema = z.object({
  taskId: z.uuid('A task id is a UUID.'),
  attempt: z.int().min(1).optional(),
  afterSeq: z.int().min(0),
  follow: z.boolean(),
});
export type LogRequest = z.infer<typeof requestSchema>;

/** Logs of the tasks that a caller may see. */
export class LiveLogs {
  constructor(
    private readonly reader: StreamReader,
    private readonly feed: TaskFeed,
    private readonly tasks: Pick<TaskReader, 'get'>,
    private readonly services: ServiceClient,
  ) {}

  /** Checks the right to see the task before a line is read. */
  async open(request: LogRequest, caller: Caller): Promise<(signal: AbortSignal) => AsyncGenerator<LogBatch>> {
    const { taskId, attempt, afterSeq, follow } = parseInput(requestSchema, request);
    const { task } = await this.tasks.get(taskId, caller);
    const ports: LogTailPorts = {
      reader: this.reader,
      history: (id, ofAttempt, after, limit) =>
        this.services.ask(readLogs, { taskId: id, attempt: ofAttempt, afterSeq: after, limit }, caller),
      watch: (id, onChange) => this.watch(id, caller, onChange),
    };
    return (signal) => tailLogs(ports, { task, attempt, afterSeq, follow }, signal);
  }

  private watch(
    taskId: string,
    caller: Caller,
    onChange: (task: Parameters<Parameters<LogTailPorts['watch']>[1]>[0]) => void,
  ): () => void {
    const stop = new AbortController();
    const { queue, leave } = this.feed.subscribe({ taskId, matches: () => true });
    const run = async () => {
      // The state may have changed between the check and now.
      await this.tasks
        .get(taskId, caller)
        .then(({ task }) => onChange(task))
        .catch(() => undefined);
      while (!stop.signal.aborted) for (const { task } of await queue.drain(stop.signal)) onChange(task);
    };
    void run().catch(() => undefined);
    return () => {
      stop.abort();
      leave();
    };
  }
}
