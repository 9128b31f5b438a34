import { readLogs } from '@gantry/contracts/telemetry/telemetry-requests';
import type { InputOf, OutputOf } from '@gantry/contracts/messaging/request';
import type { ServiceClient } from '../../adapters/service-client.js';
import type { Caller } from '../../security/caller.js';
import type { TaskReader } from '../tasks/task-reader.js';

/** Pages of log history. Telemetry does not know owners: the right to see the task is checked first. */
export class LogPagesQuery {
  constructor(
    private readonly services: ServiceClient,
    private readonly reader: Pick<TaskReader, 'get'>,
  ) {}

  async read(input: InputOf<typeof readLogs>, caller: Caller): Promise<OutputOf<typeof readLogs>> {
    await this.reader.get(input.taskId, caller);
    return this.services.ask(readLogs, input, caller);
  }
}
