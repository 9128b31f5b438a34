import { once } from 'node:events';
import type { Command } from 'commander';
import pc from 'picocolors';
import { isFinished, type GantryClient, type Task } from '@gantry/client/gantry-client';
import type { CliEnvironment } from '../environment.js';
import { exitCodeOf } from '../output/exit-code.js';
import { describeOutcome } from '../output/format.js';
import { printJson } from '../output/table.js';
import { connect } from '../session/connect.js';
import { toSubmitInput, type TaskOptions } from './task-options.js';

const collect = (value: string, earlier: string[] = []) => [...earlier, value];

export function addRunCommand(program: Command, environment: CliEnvironment): void {
  program
    .command('run')
    .description('submit a task, follow its output, and end with its exit code')
    .argument('[command...]', 'command and arguments, after --')
    .requiredOption('-i, --image <reference>', 'container image')
    .option('-n, --name <name>', 'name of the task')
    .option('--description <text>')
    .option('--cpu <cores>', 'cores, fractions allowed')
    .option('-m, --memory <size>', 'memory limit, e.g. 256m or 2g')
    .option('--storage <size>', 'scratch space')
    .option('--gpu <count>', 'GPUs')
    .option('--gpu-model <text>', 'part of the model name')
    .option('--gpu-memory <size>', 'video memory of each GPU')
    .option('-e, --env <NAME=VALUE>', 'environment variable (repeatable)', collect)
    .option('-t, --tag <tag>', 'tag (repeatable)', collect)
    .option('-l, --label <KEY=VALUE>', 'label (repeatable)', collect)
    .option('--worker-label <KEY=VALUE>', 'only on workers with this label (repeatable)', collect)
    .option('-q, --queue <queue>')
    .option('-p, --priority <number>', '-100 to 100, higher first')
    .option('--timeout <time>', 'limit of one attempt, e.g. 90s, 5m, 2h')
    .option('--retries <count>', 'tries after a failure')
    .option('--retry-memory-factor <number>', 'memory of a retry after running out of it: 1 to 4 times the last')
    .option('--retry-memory-max <size>', 'but never more than this')
    .option('--lease <time>', 'ride out a disconnect of the worker for so long, 15s to 7d (default 60s)')
    .option('--network <mode>', 'none or bridge')
    .option('--key <text>', 'idempotency key: the same key never makes two tasks')
    .option('-d, --detach', 'print the task id and return')
    .option('--json', 'print the finished task as JSON; its output goes to standard error')
    .action(async (command: string[], options: TaskOptions & { detach?: boolean; json?: boolean }) => {
      const client = connect(environment);
      try {
        const { task, queuePosition } = await client.submitTask(toSubmitInput(command, options));
        if (options.detach === true) {
          if (options.json === true) printJson({ ...task, queuePosition });
          else console.log(task.id);
          return;
        }
        notice(`task ${task.id} accepted${queuePosition == null ? '' : `, position ${queuePosition} in the queue`}`);
        const finished = await follow(client, task.id, options.json === true);
        if (options.json === true) printJson(finished);
        notice(`task ${task.id} ${describeOutcome(finished)}`);
        process.exitCode = exitCodeOf(finished);
      } finally {
        await client.close();
      }
    });
}

function notice(text: string): void {
  process.stderr.write(`${pc.dim(`gantry: ${text}`)}\n`);
}

/** Prints the lines as they come; the first Ctrl-C cancels the task, the second leaves it alone. */
async function follow(client: GantryClient, id: string, outputToStandardError: boolean): Promise<Task> {
  let interrupted = 0;
  const onInterrupt = () => {
    interrupted += 1;
    if (interrupted > 1) process.exit(130);
    notice(`cancelling task ${id} (once more Ctrl-C leaves at once)`);
    void client.cancelTask(id, { reason: 'interrupted' }).catch((error: unknown) => notice(String(error)));
  };
  process.on('SIGINT', onInterrupt);
  try {
    const [finished] = await Promise.all([lastState(client, id), printLogs(client, id, outputToStandardError)]);
    return finished;
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

async function lastState(client: GantryClient, id: string): Promise<Task> {
  let explained = false;
  for await (const task of client.followTask(id)) {
    if (isFinished(task)) return task;
    if (task.status === 'queued' && !explained) {
      explained = true;
      void explainIfWaiting(client, id);
    }
  }
  return client.task(id);
}

/** A task that is not placed within two seconds deserves a reason. */
async function explainIfWaiting(client: GantryClient, id: string): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 2_000).unref());
  try {
    const { state, summary } = await client.explainTask(id);
    if (state === 'waiting') notice(summary);
  } catch {
    // Only a hint: the task itself tells when something is wrong.
  }
}

export async function printLogs(client: GantryClient, id: string, outputToStandardError: boolean): Promise<void> {
  for await (const { lines } of client.followLogs(id)) {
    for (const { stream, text, partial } of lines) {
      const target = stream === 'stdout' && !outputToStandardError ? process.stdout : process.stderr;
      const shown = stream === 'system' ? pc.dim(`gantry: ${text}`) : text;
      if (!target.write(partial === true ? shown : `${shown}\n`)) await once(target, 'drain');
    }
  }
}
