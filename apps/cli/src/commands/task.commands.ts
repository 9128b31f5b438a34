import type { Command } from 'commander';
import pc from 'picocolors';
import type { GantryClient, Task } from '@gantry/client/gantry-client';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { CliEnvironment } from '../environment.js';
import {
  describeOutcome,
  formatBytes,
  formatDuration,
  formatStatus,
  formatTime,
  taskDuration,
} from '../output/format.js';
import { printJson, printTable } from '../output/table.js';
import { connect } from '../session/connect.js';
import { printLogs } from './run.command.js';
import { parseNumber } from './task-options.js';

const LIST_PAGE = 100;
const STATUSES = [
  'queued',
  'assigned',
  'starting',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'timed_out',
] as const;

interface ListOptions {
  status?: string;
  worker?: string;
  tag?: string;
  search?: string;
  limit: string;
  json?: boolean;
}

export function addTaskCommands(program: Command, environment: CliEnvironment): void {
  program
    .command('list')
    .alias('ls')
    .description('list tasks, newest first')
    .option('-s, --status <a,b>', `only these: ${STATUSES.join(', ')}`)
    .option('-w, --worker <id>')
    .option('-t, --tag <tag>')
    .option('--search <text>', 'part of the name, or start of the id')
    .option('-n, --limit <count>', 'how many', '20')
    .option('--json')
    .action((options: ListOptions) => listTasks(environment, options));

  program
    .command('status')
    .description('show one task')
    .argument('<id>')
    .option('--events', 'with its whole history')
    .option('--json')
    .action((id: string, options: { events?: boolean; json?: boolean }) => showTask(environment, id, options));

  program
    .command('logs')
    .description('print the log of a task')
    .argument('<id>')
    .option('-f, --follow', 'go on until the task ends')
    .option('-n, --tail <lines>', 'only the last lines')
    .option('--attempt <number>')
    .option('--search <text>', 'only lines with this text')
    .option('--json', 'one JSON object a line')
    .action((id: string, options: LogOptions) => showLogs(environment, id, options));

  program
    .command('cancel')
    .description('stop a task: SIGTERM, a grace time, then SIGKILL')
    .argument('<id...>')
    .option('--grace <seconds>')
    .option('--json')
    .action(async (ids: string[], options: { grace?: string; json?: boolean }) => {
      const client = connect(environment);
      const grace = options.grace === undefined ? {} : { graceSeconds: parseNumber('--grace', options.grace) };
      for (const id of ids) report(await client.cancelTask(id, grace), 'cancel requested', options.json);
    });

  program
    .command('retry')
    .description('run a task again as a new one')
    .argument('<id>')
    .option('--json')
    .action(async (id: string, options: { json?: boolean }) => {
      report(await connect(environment).retryTask(id), `submitted again from ${id}`, options.json);
    });

  program
    .command('delete')
    .alias('rm')
    .description('delete finished tasks and their files')
    .argument('<id...>')
    .action(async (ids: string[]) => {
      const client = connect(environment);
      for (const id of ids) {
        await client.deleteTask(id);
        console.log(`${id} deleted`);
      }
    });

  program
    .command('explain')
    .description('say why a task is waiting')
    .argument('<id>')
    .option('--json')
    .action(async (id: string, options: { json?: boolean }) => {
      const explanation = await connect(environment).explainTask(id);
      if (options.json === true) return printJson(explanation);
      console.log(explanation.summary);
      if (explanation.queuePosition != null) console.log(`Position in the queue: ${explanation.queuePosition}`);
      for (const { workerName, fits, unmet } of explanation.workers) {
        console.log(
          `${fits ? pc.green('fits') : pc.yellow('no  ')}  ${workerName}${unmet.map(({ message }) => `\n        ${message}`).join('')}`,
        );
      }
    });
}

function report(task: Task, what: string, json: boolean | undefined): void {
  if (json === true) printJson(task);
  else console.log(`${task.id} ${what} (${formatStatus(task.status)})`);
}

async function listTasks(environment: CliEnvironment, options: ListOptions): Promise<void> {
  const statuses = options.status?.split(',').map((name) => {
    const status = STATUSES.find((known) => known === name.trim());
    if (status === undefined)
      throw new GantryError('CLI.BAD_OPTION', 'invalid', `There is no status "${name}". Use ${STATUSES.join(', ')}.`);
    return status;
  });
  const { tasks, degraded } = await newestTasks(connect(environment), parseNumber('--limit', options.limit), {
    statuses: statuses ?? null,
    workerId: options.worker ?? null,
    tag: options.tag ?? null,
    search: options.search ?? null,
  });
  if (options.json === true) return printJson(tasks);
  if (tasks.length === 0) return console.log('No tasks. Submit one: gantry run --image gantry/demo -- echo hello');
  const now = Date.now();
  printTable(
    ['ID', 'NAME', 'STATUS', 'WORKER', 'CREATED', 'DURATION'],
    tasks.map((task) => {
      const duration = taskDuration(task, now);
      return [
        task.id,
        task.name.slice(0, 40),
        formatStatus(task.status),
        task.workerName ?? '-',
        formatTime(task.createdAt),
        duration === undefined ? '-' : formatDuration(duration),
      ];
    }),
  );
  if (degraded) console.error(pc.yellow('The history store does not answer: only active and recent tasks are shown.'));
}

type TaskFilter = NonNullable<NonNullable<Parameters<GantryClient['tasks']>[0]>['filter']>;

/** As many as were asked for; the server gives at most a hundred at once. */
async function newestTasks(client: GantryClient, limit: number, filter: TaskFilter) {
  const tasks: Task[] = [];
  let after: string | null = null;
  for (;;) {
    const first = Math.min(LIST_PAGE, limit - tasks.length);
    const { edges, pageInfo, degraded }: Awaited<ReturnType<GantryClient['tasks']>> = await client.tasks({
      first,
      after,
      filter,
    });
    tasks.push(...edges.map(({ node }) => node));
    after = pageInfo.endCursor ?? null;
    if (tasks.length >= limit || !pageInfo.hasNextPage || after === null) return { tasks, degraded };
  }
}

async function showTask(
  environment: CliEnvironment,
  id: string,
  options: { events?: boolean; json?: boolean },
): Promise<void> {
  const client = connect(environment);
  const task = await client.task(id);
  const history = options.events === true ? await client.taskHistory(id) : undefined;
  if (options.json === true) return printJson(history === undefined ? task : { ...task, history });
  const duration = taskDuration(task, Date.now());
  const facts: [string, string | undefined][] = [
    ['Id', task.id],
    ['Name', task.name],
    ['Status', describeOutcome(task)],
    ['Message', task.message ?? undefined],
    ['Position', task.queuePosition == null ? undefined : String(task.queuePosition)],
    ['Owner', task.ownerName],
    ['Image', task.image],
    ['Command', task.command.length === 0 ? undefined : task.command.join(' ')],
    [
      'Resources',
      `${task.resources.cpu} cores, ${task.resources.memoryMb} MiB memory, ${task.resources.gpu.count} GPUs`,
    ],
    ['Worker', task.workerName ?? undefined],
    ['Attempt', String(task.attempt)],
    ['Created', formatTime(task.createdAt)],
    ['Duration', duration === undefined ? undefined : formatDuration(duration)],
    [
      'Files',
      task.artifacts.length === 0
        ? undefined
        : task.artifacts.map(({ path, sizeBytes }) => `${path} (${formatBytes(sizeBytes)})`).join(', '),
    ],
  ];
  for (const [label, value] of facts) if (value !== undefined) console.log(`${pc.bold(label.padEnd(10))} ${value}`);
  for (const entry of history ?? [])
    console.log(`${formatTime(entry.occurredAt)}  ${entry.type.padEnd(20)} ${pc.dim(entry.actor)}`);
}

interface LogOptions {
  follow?: boolean;
  tail?: string;
  attempt?: string;
  search?: string;
  json?: boolean;
}

const PAGE_LINES = 5_000;

async function showLogs(environment: CliEnvironment, id: string, options: LogOptions): Promise<void> {
  const client = connect(environment);
  try {
    if (options.follow === true && options.json !== true) return await printLogs(client, id, false);
    const search = options.search ?? null;
    const attempt = options.attempt === undefined ? null : parseNumber('--attempt', options.attempt);
    const tail = options.tail === undefined ? undefined : parseNumber('--tail', options.tail);
    let afterSeq: number | null = null;
    for (;;) {
      const page = await client.taskLogs(
        tail === undefined
          ? { taskId: id, attempt, afterSeq, search, limit: PAGE_LINES }
          : { taskId: id, attempt, tail: true, search, limit: tail },
      );
      for (const line of page.lines) {
        if (options.json === true) console.log(JSON.stringify({ attempt: page.attempt, ...line }));
        else
          (line.stream === 'stdout' ? process.stdout : process.stderr).write(
            line.partial === true ? line.text : `${line.text}\n`,
          );
      }
      afterSeq = page.lines.at(-1)?.seq ?? null;
      if (tail !== undefined || page.lines.length < PAGE_LINES) return;
    }
  } finally {
    await client.close();
  }
}
