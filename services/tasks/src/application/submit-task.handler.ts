import type { OutputOf, ParsedInputOf, RequestContext } from '@gantry/contracts/messaging/request';
import type { submitTask } from '@gantry/contracts/tasks/task-requests';
import { MAX_SPEC_BYTES, type TaskSpec } from '@gantry/contracts/tasks/task-spec';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import type { Clock } from '@gantry/kernel/clock';
import { deterministicId, type IdSource } from '@gantry/kernel/ids';
import { sameSpec } from '../domain/task/same-spec.js';
import type { SubmitTask } from '../domain/task/task.commands.js';
import { taskErrors } from '../domain/task/task.errors.js';
import { requestOrigin } from './request-origin.js';
import { requireUser } from './task-access.js';
import type { TaskCommandExecutor } from './task-command.executor.js';

/** Told which ids cannot exist yet, so that the store need not look. Wrong guesses are caught by the append's fence. */
export interface FreshIds {
  expectFresh(taskId: string): void;
  /** The submission is over: whoever loads the task from now on looks. */
  settle(taskId: string): void;
}

export interface Submission {
  readonly taskId: string;
  readonly ownerId: string;
  readonly ownerName: string;
  readonly spec: TaskSpec;
  readonly retryOf?: string;
}

export class SubmitTaskHandler {
  constructor(
    private readonly executor: TaskCommandExecutor,
    private readonly freshIds: FreshIds,
    private readonly ids: IdSource,
    private readonly clock: Clock,
  ) {}

  async handle(input: ParsedInputOf<typeof submitTask>, context: RequestContext): Promise<OutputOf<typeof submitTask>> {
    const owner = requireUser(context.actor);
    const bytes = Buffer.byteLength(JSON.stringify(input.spec));
    if (bytes > MAX_SPEC_BYTES) throw taskErrors.specTooLarge(bytes, MAX_SPEC_BYTES);
    const { idempotencyKey, spec } = input;
    const taskId = idempotencyKey === undefined ? this.ids.next() : deterministicId(owner.id, idempotencyKey);
    const { task, duplicate } = await this.submit({ taskId, ownerId: owner.id, ownerName: owner.name, spec }, context);
    return { task, queuePosition: this.executor.board.queuePosition(task), duplicate };
  }

  /** Stores the task unless its id is taken by the same task already; a different one under that id is a conflict. */
  async submit(submission: Submission, context: RequestContext): Promise<{ task: TaskView; duplicate: boolean }> {
    const { taskId, ...rest } = submission;
    if (this.executor.board.get(taskId) === undefined) this.freshIds.expectFresh(taskId);
    const command: SubmitTask = { type: 'SubmitTask', ...rest, at: this.clock.now() };
    // The id says all there is to say about this command: a repeated one is the same command.
    const executed = await this.executor
      .execute(taskId, command, requestOrigin(context, `submit:${taskId}`))
      .finally(() => this.freshIds.settle(taskId));
    const task = await this.executor.viewAfter(taskId, executed);
    const duplicate = executed.stored === undefined;
    if (duplicate && (task.deleted || !sameSpec(task.spec, submission.spec))) throw taskErrors.idempotencyConflict();
    return { task, duplicate };
  }
}
