import { randomUUID } from 'node:crypto';
import { GantryError } from '@gantry/kernel/gantry-error';
import type {
  DeadLetterFieldsFragment,
  DeadLetterQuery,
  DeadLettersQuery,
  DeadLettersQueryVariables,
  ExplainTaskQuery,
  FollowLogsSubscription,
  HealthQuery,
  LogInMutation,
  MeQuery,
  RegisterMutation,
  SubmitTaskInput,
  SubmitTaskMutation,
  SummaryQuery,
  TaskFieldsFragment,
  TaskHistoryQuery,
  TaskLogsQuery,
  TaskLogsQueryVariables,
  TaskQuery,
  TasksQuery,
  TasksQueryVariables,
  WorkersQuery,
} from './gql/graphql.js';
import { LiveConnection } from './live.js';
import {
  changePasswordDocument,
  createApiKeyDocument,
  logInDocument,
  meDocument,
  registerDocument,
} from './operations/auth.operations.js';
import {
  deadLetterDocument,
  deadLettersDocument,
  discardDeadLetterDocument,
  replayDeadLetterDocument,
} from './operations/dead-letter.operations.js';
import { healthDocument, summaryDocument, workersDocument } from './operations/fleet.operations.js';
import {
  cancelTaskDocument,
  deleteTaskDocument,
  explainTaskDocument,
  followLogsDocument,
  followTaskDocument,
  retryTaskDocument,
  submitTaskDocument,
  taskDocument,
  taskHistoryDocument,
  taskLogsDocument,
  tasksDocument,
} from './operations/task.operations.js';
import { followPause, pause } from './retrying.js';
import { Transport, type CredentialSource } from './transport.js';

export type Task = TaskFieldsFragment;
export type DeadLetter = DeadLetterFieldsFragment;
export type Artifact = Task['artifacts'][number];
export type Worker = WorkersQuery['workers'][number];
export type LogBatch = FollowLogsSubscription['taskLogs'];
export type LogLine = LogBatch['lines'][number];
export type { SubmitTaskInput };

export interface GantryClientOptions {
  /** Address of the API, e.g. `http://localhost:4000`; several with commas: the next one is used when one fails. */
  apiUrl: string;
  /** API key (`gtk_...`) or access token. */
  credentials?: CredentialSource;
}

const TERMINAL = new Set(['succeeded', 'failed', 'cancelled', 'timed_out']);

export function isFinished(task: Pick<Task, 'status'>): boolean {
  return TERMINAL.has(task.status);
}

/**
 * Typed access to Gantry's public API. Every failure is a `GantryError` with a stable `code` and a `message` for people.
 * Queries and keyed submissions are repeated by themselves when a part is down for a moment.
 */
export class GantryClient {
  private readonly transport: Transport;
  private live: LiveConnection | undefined;

  constructor(options: GantryClientOptions) {
    this.transport = new Transport(options.apiUrl, options.credentials ?? (() => undefined));
  }

  async register(account: { email: string; password: string; name: string }): Promise<RegisterMutation['register']> {
    return (await this.transport.execute(registerDocument, account)).register;
  }

  async logIn(email: string, password: string): Promise<LogInMutation['logIn']> {
    return (await this.transport.execute(logInDocument, { email, password })).logIn;
  }

  async changePassword(currentPassword: string, newPassword: string): Promise<void> {
    await this.transport.execute(changePasswordDocument, { currentPassword, newPassword });
  }

  /** The key is in this answer only. */
  async createApiKey(name: string, scopes?: string[]): Promise<{ key: string; id: string }> {
    const { createApiKey } = await this.transport.execute(createApiKeyDocument, { name, scopes: scopes ?? null });
    return { key: createApiKey.key, id: createApiKey.apiKey.id };
  }

  async me(): Promise<MeQuery['me']> {
    return (await this.transport.execute(meDocument, {}, { repeatable: true })).me;
  }

  /** A key is made when none is given, so that a repeated submission never makes two tasks. */
  async submitTask(input: SubmitTaskInput): Promise<SubmitTaskMutation['submitTask']> {
    const keyed = { ...input, idempotencyKey: input.idempotencyKey ?? randomUUID() };
    return (await this.transport.execute(submitTaskDocument, { input: keyed }, { repeatable: true })).submitTask;
  }

  async task(id: string): Promise<TaskQuery['task']> {
    return (await this.transport.execute(taskDocument, { id }, { repeatable: true })).task;
  }

  /** Every event of the task, oldest first. */
  async taskHistory(id: string): Promise<TaskHistoryQuery['task']['history']> {
    return (await this.transport.execute(taskHistoryDocument, { id }, { repeatable: true })).task.history;
  }

  async explainTask(id: string): Promise<ExplainTaskQuery['task']['explanation']> {
    return (await this.transport.execute(explainTaskDocument, { id }, { repeatable: true })).task.explanation;
  }

  async tasks(variables: TasksQueryVariables = {}): Promise<TasksQuery['tasks']> {
    return (await this.transport.execute(tasksDocument, variables, { repeatable: true })).tasks;
  }

  async cancelTask(id: string, options: { reason?: string; graceSeconds?: number } = {}): Promise<Task> {
    const variables = { id, reason: options.reason ?? null, graceSeconds: options.graceSeconds ?? null };
    return (await this.transport.execute(cancelTaskDocument, variables, { repeatable: true })).cancelTask;
  }

  async retryTask(id: string): Promise<Task> {
    return (await this.transport.execute(retryTaskDocument, { id })).retryTask;
  }

  async deleteTask(id: string): Promise<void> {
    await this.transport.execute(deleteTaskDocument, { id });
  }

  async taskLogs(variables: TaskLogsQueryVariables): Promise<TaskLogsQuery['taskLogs']> {
    return (await this.transport.execute(taskLogsDocument, variables, { repeatable: true })).taskLogs;
  }

  async workers(): Promise<Worker[]> {
    return (await this.transport.execute(workersDocument, {}, { repeatable: true })).workers;
  }

  async summary(): Promise<SummaryQuery['summary']> {
    return (await this.transport.execute(summaryDocument, {}, { repeatable: true })).summary;
  }

  /** Admins only. A page may be short, even empty, and still have a `next`. */
  async deadLetters(variables: DeadLettersQueryVariables = {}): Promise<DeadLettersQuery['deadLetters']> {
    return (await this.transport.execute(deadLettersDocument, variables, { repeatable: true })).deadLetters;
  }

  async deadLetter(id: string): Promise<DeadLetterQuery['deadLetter']> {
    return (await this.transport.execute(deadLetterDocument, { id }, { repeatable: true })).deadLetter;
  }

  async replayDeadLetter(id: string): Promise<DeadLetter> {
    return (await this.transport.execute(replayDeadLetterDocument, { id })).replayDeadLetter;
  }

  async discardDeadLetter(id: string): Promise<DeadLetter> {
    return (await this.transport.execute(discardDeadLetterDocument, { id })).discardDeadLetter;
  }

  async health(): Promise<HealthQuery['health']> {
    return (await this.transport.execute(healthDocument, {}, { repeatable: true })).health;
  }

  /** The task's state at once and at every change, until it has ended; survives broken connections. */
  async *followTask(id: string): AsyncGenerator<Task, void, undefined> {
    let version = 0;
    for (let failures = 0; ;) {
      try {
        for await (const { task } of this.connection().subscribe(followTaskDocument, { id })) {
          failures = 0;
          if (task.version <= version) continue;
          version = task.version;
          yield task;
          if (isFinished(task)) return;
        }
      } catch (error) {
        await this.pauseOrThrow(error, failures);
        failures += 1;
        continue;
      }
      // The server completed early (it is stopping): ask again.
      await this.pauseOrThrow(undefined, failures);
      failures += 1;
    }
  }

  /** Every log line after `afterSeq` in order, across attempts, each once, until the task ended; resumes by itself. */
  async *followLogs(
    taskId: string,
    from: { attempt?: number; afterSeq?: number } = {},
  ): AsyncGenerator<LogBatch, void, undefined> {
    let { attempt, afterSeq = 0 } = from;
    let complete = false;
    for (let failures = 0; ;) {
      try {
        const variables = { taskId, attempt: attempt ?? null, afterSeq };
        for await (const { taskLogs } of this.connection().subscribe(followLogsDocument, variables)) {
          failures = 0;
          if (attempt !== undefined && taskLogs.attempt > attempt) afterSeq = 0;
          attempt = taskLogs.attempt;
          const lines = taskLogs.lines.filter(({ seq }) => seq > afterSeq);
          afterSeq = lines.at(-1)?.seq ?? afterSeq;
          complete = taskLogs.complete;
          yield { ...taskLogs, lines };
        }
        if (complete || isFinished(await this.task(taskId))) return;
        await this.pauseOrThrow(undefined, failures);
      } catch (error) {
        await this.pauseOrThrow(error, failures);
      }
      failures += 1;
    }
  }

  private async pauseOrThrow(error: unknown, failures: number): Promise<void> {
    const repeatable = error === undefined || (error instanceof GantryError && error.retryable);
    if (!repeatable) throw error instanceof Error ? error : new Error('The live connection failed.', { cause: error });
    const limit = followPause(failures, this.connection().everConnected);
    if (limit === undefined) throw error instanceof GantryError ? error : keepsEnding();
    await pause(limit);
  }

  /** Streams a file of a task. `offset` resumes a broken download. */
  async download(
    artifact: Pick<Artifact, 'url'>,
    options: { offset?: number } = {},
  ): Promise<ReadableStream<Uint8Array>> {
    const headers: Record<string, string> =
      options.offset === undefined || options.offset === 0 ? {} : { range: `bytes=${options.offset}-` };
    const response = await this.transport.fetch(artifact.url, { headers });
    if (response.body === null)
      throw new GantryError('CLIENT.BAD_ANSWER', 'internal', 'The server sent an answer without content.');
    return response.body;
  }

  /** The whole log of a task as plain text. */
  async downloadLogs(taskId: string): Promise<ReadableStream<Uint8Array>> {
    const response = await this.transport.fetch(`/api/tasks/${encodeURIComponent(taskId)}/logs?download=1`);
    if (response.body === null)
      throw new GantryError('CLIENT.BAD_ANSWER', 'internal', 'The server sent an answer without content.');
    return response.body;
  }

  /** Ends the live connection, if one was opened. */
  async close(): Promise<void> {
    const { live } = this;
    this.live = undefined;
    await live?.close();
  }

  private connection(): LiveConnection {
    this.live ??= new LiveConnection(this.transport);
    return this.live;
  }
}

/** Waits before the next try; errors that another try cannot mend, and too many failures in a row, are thrown. */
function keepsEnding(): GantryError {
  const message = 'The server keeps ending the live connection. Try again later.';
  return new GantryError('CLIENT.DISCONNECTED', 'unavailable', message);
}
