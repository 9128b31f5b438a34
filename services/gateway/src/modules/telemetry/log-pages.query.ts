import { setTimeout as wait } from 'node:timers/promises';
import { readLogs } from '@gantry/contracts/telemetry/telemetry-requests';
import type { InputOf, OutputOf } from '@gantry/contracts/messaging/request';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import type { Clock } from '@gantry/kernel/clock';
import type { ServiceClient } from '../../adapters/service-client.js';
import type { Caller } from '../../security/caller.js';
import type { TaskReader } from '../tasks/task-reader.js';

type Page = OutputOf<typeof readLogs>;

/** The archive takes lines in batches: the last ones of an attempt are there a moment after its end was told. */
const ARCHIVED_WITHIN_MS = 10_000;
const PATIENCE_MS = 3_000;
const LOOK_AGAIN_MS = 150;

/** Pages of log history. Telemetry does not know owners: the right to see the task is checked first. */
export class LogPagesQuery {
  constructor(
    private readonly services: ServiceClient,
    private readonly reader: Pick<TaskReader, 'get'>,
    private readonly clock: Clock,
  ) {}

  /** Of an attempt that has just ended it answers when all lines are there, or after three seconds with those that are. */
  async read(input: InputOf<typeof readLogs>, caller: Caller): Promise<Page> {
    const { task } = await this.reader.get(input.taskId, caller);
    const attempt = input.attempt ?? task.attempt;
    for (let waited = 0; ; waited += LOOK_AGAIN_MS) {
      const page = await this.services.ask(readLogs, input, caller);
      const whole = page.attempt === attempt && page.complete;
      if (whole || waited >= PATIENCE_MS || !this.hasJustEnded(task, attempt)) return page;
      await wait(LOOK_AGAIN_MS);
    }
  }

  private hasJustEnded(task: TaskView, number: number): boolean {
    const entry = task.attempts.find(({ attempt }) => attempt === number);
    if (entry?.startedAt == null || entry.finishedAt === null) return false;
    return this.clock.now() - entry.finishedAt < ARCHIVED_WITHIN_MS;
  }
}
