import type { OutputOf, ParsedInputOf } from '@gantry/contracts/messaging/request';
import { readLogs } from '@gantry/contracts/telemetry/telemetry-requests';
import { HandleRequest } from '@gantry/jetstream/nest/decorators';
import { Controller } from '@nestjs/common';
import { TaskLogsReader } from '../../projections/task-logs/task-logs.reader.js';

/** Whether the caller may see the task was decided at the gateway, which asked the owner of the task. */
@Controller()
export class LogsRequests {
  constructor(private readonly logs: TaskLogsReader) {}

  @HandleRequest(readLogs)
  read(input: ParsedInputOf<typeof readLogs>): Promise<OutputOf<typeof readLogs>> {
    return this.logs.read(input);
  }
}
