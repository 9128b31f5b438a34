import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';

export interface Conditions {
  readonly date: string;
  readonly cores: number;
  readonly memoryGib: number;
  /** Of the minute before the run: above zero, others were using the machine too. */
  readonly loadBefore: number;
  readonly versions: Readonly<Record<string, string>>;
}

/** What the figures depend on, without naming the machine. */
export function readConditions(): Conditions {
  return {
    date: new Date().toISOString().slice(0, 10),
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(1)),
    versions: {
      Node: process.versions.node,
      'nats-server': versionOf('nats-server', ['--version']),
      'Docker engine': versionOf('dockerd', ['--version']),
    },
  };
}

function versionOf(program: string, args: readonly string[]): string {
  try {
    const text = execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return /\d+\.\d+(\.\d+)?/.exec(text)?.[0] ?? 'unknown';
  } catch {
    return 'not installed';
  }
}

export function conditionsLine({ date, cores, memoryGib, loadBefore, versions }: Conditions): string {
  const parts = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${date}, ${cores} cores, ${memoryGib} GiB, load before the run ${loadBefore}, ${parts.join(', ')}.`;
}
