import type { GantryClient } from '@gantry/client/gantry-client';
import { insist } from './submitter.js';
import type { ObservedTask, ObservedWorker } from './observations.js';

const PAGE = 100;
const LOG_PAGE = 1_000;
const AT_ONCE = 8;

/** Reads back what the system says, by the public API alone. */
export class Observer {
  constructor(
    private readonly api: GantryClient,
    private readonly signal: AbortSignal,
  ) {}

  async listTasks(statuses?: ('queued' | 'assigned' | 'starting' | 'running')[]): Promise<string[]> {
    const ids: string[] = [];
    for (let after: string | null = null; ;) {
      const filter = statuses === undefined ? {} : { filter: { statuses } };
      const page: Awaited<ReturnType<GantryClient['tasks']>> = await this.ask(() =>
        this.api.tasks({ ...filter, first: PAGE, after }),
      );
      ids.push(...page.edges.map(({ node }) => node.id));
      if (!page.pageInfo.hasNextPage) return ids;
      after = page.pageInfo.endCursor ?? null;
    }
  }

  readTasks(ids: readonly string[]): Promise<ObservedTask[]> {
    return inTurn(ids, AT_ONCE, (id) => this.readTask(id));
  }

  async readTask(id: string): Promise<ObservedTask> {
    const task = await this.ask(() => this.api.task(id));
    const history = await this.ask(() => this.api.taskHistory(id));
    const attempts = new Set(
      history.filter(({ type }) => type === 'TaskAssigned').map(({ data }) => (data as { attempt: number }).attempt),
    );
    const logs = new Map<number, string[]>();
    for (const attempt of attempts) logs.set(attempt, await this.readLog(id, attempt));
    return {
      id,
      status: task.status,
      attempt: task.attempt,
      exitCode: task.exitCode ?? null,
      failureClass: task.failure?.class ?? null,
      artifacts: task.artifacts.map(({ attempt, path, sha256 }) => ({ attempt, path, sha256 })),
      history: history.map(({ version, type, data }) => ({ version, type, data })),
      logs,
    };
  }

  async readWorkers(): Promise<ObservedWorker[]> {
    const workers = await this.ask(() => this.api.workers());
    return workers.map(({ id, allocated, running, gpus }) => ({
      id,
      allocated,
      runningTasks: running.length,
      allocatedGpus: gpus.filter((gpu) => gpu.allocated).length,
    }));
  }

  private async readLog(taskId: string, attempt: number): Promise<string[]> {
    const texts: string[] = [];
    for (let afterSeq = 0; ;) {
      const { lines } = await this.ask(() => this.api.taskLogs({ taskId, attempt, afterSeq, limit: LOG_PAGE }));
      texts.push(...lines.filter(({ stream }) => stream !== 'system').map(({ text }) => text));
      const last = lines.at(-1)?.seq;
      if (last === undefined || lines.length < LOG_PAGE) return texts;
      afterSeq = last;
    }
  }

  private ask<T>(call: () => Promise<T>): Promise<T> {
    return insist(call, this.signal);
  }
}

/** Works off the list with so many at once; the answers are in the order of the list. */
async function inTurn<A, B>(list: readonly A[], width: number, work: (item: A) => Promise<B>): Promise<B[]> {
  const answers: B[] = [];
  const entries = list.entries();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const [index, item] of entries) answers[index] = await work(item);
    }),
  );
  return answers;
}
