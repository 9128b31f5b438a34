import type { Command } from 'commander';
import pc from 'picocolors';
import type { CliEnvironment } from '../environment.js';
import { formatBytes, formatDuration } from '../output/format.js';
import { printJson, printTable } from '../output/table.js';
import { connect } from '../session/connect.js';

const MEBIBYTE = 1024 * 1024;

export function addFleetCommands(program: Command, environment: CliEnvironment): void {
  program
    .command('workers')
    .description('list the workers')
    .option('--json')
    .action(async (options: { json?: boolean }) => {
      const workers = await connect(environment).workers();
      if (options.json === true) return printJson(workers);
      if (workers.length === 0) return console.log('No workers are connected.');
      printTable(
        ['NAME', 'STATUS', 'CPU', 'MEMORY', 'GPUS', 'RUNNING', 'RUNTIME'],
        workers.map(({ name, status, capacity, allocated, gpus, running, runtime, runtimeVersion }) => [
          name,
          status === 'active' ? pc.green(status) : pc.yellow(status),
          `${round(allocated.cpu)}/${round(capacity.cpu)}`,
          `${formatBytes(allocated.memoryMb * MEBIBYTE)}/${formatBytes(capacity.memoryMb * MEBIBYTE)}`,
          `${gpus.filter((gpu) => gpu.allocated).length}/${gpus.length}`,
          String(running.length),
          `${runtime} ${runtimeVersion}`,
        ]),
      );
    });

  program
    .command('stats')
    .description('numbers of the whole system')
    .option('--json')
    .action(async (options: { json?: boolean }) => {
      const client = connect(environment);
      const [summary, health] = await Promise.all([client.summary(), client.health()]);
      if (options.json === true) return printJson({ summary, health });
      console.log(`Tasks      ${summary.total} in all, ${summary.last24h} in the last 24 h`);
      for (const { status, count } of summary.byStatus) if (count > 0) console.log(`           ${status}: ${count}`);
      if (summary.averageDurationSeconds != null)
        console.log(`Average    ${formatDuration(summary.averageDurationSeconds * 1_000)}`);
      console.log(`Workers    ${summary.activeWorkers} active of ${summary.totalWorkers}`);
      console.log(`Health     ${health.status}`);
      for (const service of health.services) {
        const reasons = service.reasons.length === 0 ? '' : ` (${service.reasons.join('; ')})`;
        console.log(
          `           ${service.service.padEnd(10)} ${service.status}${reasons}, ${formatBytes(service.rssBytes)}`,
        );
      }
    });

  program
    .command('whoami')
    .description('show the account of the stored key')
    .option('--json')
    .action(async (options: { json?: boolean }) => {
      const me = await connect(environment).me();
      if (options.json === true) return printJson(me);
      console.log(`${me.name} <${me.email}>, ${me.role}`);
    });
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}
