import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { breakages } from './broken-agent.js';
import { runChaos, type ChaosReport } from './chaos-run.js';
import type { FaultKind } from './fault-plan.js';
import { showing } from './showing-breakage.js';

const KINDS: readonly FaultKind[] = ['kill', 'freeze', 'cut', 'fill', 'clock', 'kill-all'];
const SHOWN_VIOLATIONS = 30;
/** The command `npm run chaos`; gives the exit code. */
async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string' },
      tasks: { type: 'string', default: '200' },
      faults: { type: 'string', default: '20' },
      spacing: { type: 'string', default: '6' },
      lease: { type: 'string', default: '15' },
      containers: { type: 'string', default: '25' },
      patience: { type: 'string', default: '240' },
      replicas: { type: 'string', default: '1' },
      kinds: { type: 'string' },
      report: { type: 'string' },
      break: { type: 'string' },
      keep: { type: 'boolean', default: false },
    },
  });
  const seed = values.seed === undefined ? Math.trunc(Math.random() * 1_000_000) : whole('seed', values.seed);
  const breakage = breakages.find((known) => known === values.break);
  if (values.break !== undefined && breakage === undefined)
    throw new Error(`--break: "${values.break}" is none of ${breakages.join(', ')}.`);
  const kinds = values.kinds?.split(',').map((name) => {
    const kind = KINDS.find((known) => known === name);
    if (kind === undefined) throw new Error(`--kinds: "${name}" is none of ${KINDS.join(', ')}.`);
    return kind;
  });
  const report = await runChaos(
    {
      seed,
      tasks: whole('tasks', values.tasks),
      faults: whole('faults', values.faults),
      spacing: whole('spacing', values.spacing) * 1_000,
      leaseMs: whole('lease', values.lease) * 1_000,
      containers: whole('containers', values.containers),
      patienceMs: whole('patience', values.patience) * 1_000,
      replicas: whole('replicas', values.replicas),
      ...(breakage === undefined ? {} : { breakage, ...showing[breakage] }),
      ...(kinds === undefined ? {} : { kinds }),
      say: (line) => console.log(line),
    },
    values.keep,
  );
  if (values.report !== undefined) fs.writeFileSync(values.report, JSON.stringify(report, null, 2));
  print(report);
  return report.verdict.violations.length === 0 ? 0 : 1;
}

function whole(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0) throw new Error(`--${name} is "${text}"; write a whole number.`);
  return number;
}

function print({ seed, seconds, submitted, byStatus, faults, verdict }: ChaosReport): void {
  const { looked, excused, violations } = verdict;
  const perKind: Record<string, number> = {};
  for (const { kind, how } of faults) if (how !== 'for its clock') perKind[kind] = (perKind[kind] ?? 0) + 1;
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  const rows: [string, string][] = [
    ['seed', String(seed)],
    ['tasks', `${submitted} accepted: ${list(byStatus)}`],
    ['faults', list(perKind)],
    [
      'looked at',
      `${looked.events} events, ${looked.witnessLines} lines of ${looked.attempts} attempts (${looked.secondAttempts} after the first)`,
    ],
    [
      'time',
      Object.entries(seconds)
        .map(([name, value]) => `${name} ${value.toFixed(1)} s`)
        .join(', '),
    ],
    ['lines excused', String(excused.length)],
    ['violations', String(violations.length)],
  ];
  console.log(`\n${rows.map(([name, value]) => `${name.padEnd(14)} ${value}`).join('\n')}`);
  for (const { rule, taskId, detail } of violations.slice(0, SHOWN_VIOLATIONS))
    console.log(`  ${rule}  ${taskId ?? ''}  ${detail}`);
  if (violations.length > SHOWN_VIOLATIONS)
    console.log(`  and ${violations.length - SHOWN_VIOLATIONS} more (--report FILE lists all)`);
}

process.exitCode = await main(process.argv.slice(2));
