import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCgroupPaths } from '../telemetry/host/cgroup.parser.js';
import { identityOf, isAlive } from './process-identity.js';
import type { ProcessIdentity } from './keeper-orders.js';

/** About five seconds. */
const EMPTY_ROUNDS = 25;
const EMPTY_PAUSE_MS = 250;

export interface Member extends ProcessIdentity {
  /** Path of the group in the unified hierarchy (cgroup v2), if the process is in it there. */
  readonly unified: string | undefined;
}

interface Places {
  readonly proc: string;
  /** Mount point of the unified hierarchy; undefined = the machine has none. */
  readonly unifiedMount: string | undefined;
  readonly kill: (pid: number) => void;
}

/**
 * Finds and ends what is in a control group by the kernel alone, whoever made the group: no engine and no agent is asked. Works
 * with both versions of control groups, and with drivers that add something to the name (`docker-<id>.scope`).
 */
export class ControlGroups {
  constructor(private readonly places: Places) {}

  static ofThisMachine(): ControlGroups {
    return new ControlGroups({
      proc: '/proc',
      unifiedMount: unifiedMount(),
      kill: (pid) => void process.kill(pid, 'SIGKILL'),
    });
  }

  /** Living processes by the name of the group, in one walk over all processes. */
  members(names: ReadonlySet<string>): Map<string, Member[]> {
    const { proc } = this.places;
    const found = new Map<string, Member[]>();
    for (const entry of readdirSync(proc)) {
      const pid = Number(entry);
      // Nearly all processes are in other groups, and one look at their file is enough.
      if (!Number.isInteger(pid) || groupsOf(proc, pid, names) === undefined) continue;
      // Before its groups count: what is killed later is this process, or nothing.
      const identity = identityOf(pid, proc);
      const member = identity === undefined ? undefined : groupsOf(proc, pid, names);
      if (identity === undefined || member === undefined) continue;
      found.set(member.name, [...(found.get(member.name) ?? []), { ...identity, unified: member.unified }]);
    }
    return found;
  }

  /** The whole group at once where the kernel can, then each process that is left. */
  end(members: readonly Member[]): void {
    const { proc, unifiedMount: mount, kill } = this.places;
    if (mount !== undefined) {
      for (const group of new Set(members.flatMap(({ unified }) => (unified === undefined ? [] : [unified])))) {
        attempt(() => writeFileSync(join(mount, group, 'cgroup.kill'), '1', { flag: 'r+' }));
      }
    }
    for (const member of members) if (isAlive(member, proc)) attempt(() => kill(member.pid));
  }

  /** Ends all of a group, also what forks meanwhile. Rejects if a process does not end: one that waits for a device, for instance. */
  async empty(name: string): Promise<void> {
    for (let round = 0; ; round += 1) {
      const living = this.members(new Set([name])).get(name) ?? [];
      if (living.length === 0) return;
      if (round === EMPTY_ROUNDS) {
        const pids = living.map(({ pid }) => pid).join(', ');
        throw new Error(`Processes of the control group ${name} do not end: ${pids}.`);
      }
      this.end(living);
      await new Promise((resolve) => setTimeout(resolve, Math.min(EMPTY_PAUSE_MS, 5 * 2 ** round)));
    }
  }
}

function groupsOf(
  proc: string,
  pid: number,
  names: ReadonlySet<string>,
): { name: string; unified: string | undefined } | undefined {
  let text: string;
  try {
    text = readFileSync(`${proc}/${pid}/cgroup`, 'utf8');
  } catch {
    return undefined;
  }
  if (![...names].some((name) => text.includes(name))) return undefined;
  let name: string | undefined;
  let unified: string | undefined;
  for (const [controller, { path }] of parseCgroupPaths(text)) {
    const parts = path.split('/');
    const at = parts.findIndex((part) => nameOf(part, names) !== undefined);
    if (at < 0) continue;
    name ??= nameOf(parts[at] ?? '', names);
    if (controller === '') unified = parts.slice(0, at + 1).join('/');
  }
  return name === undefined ? undefined : { name, unified };
}

/** systemd's driver puts the engine's name before, and `.scope` behind. */
function nameOf(part: string, names: ReadonlySet<string>): string | undefined {
  if (names.has(part)) return part;
  const inner = /^[a-z]+-(.+)\.scope$/.exec(part)?.[1];
  return inner !== undefined && names.has(inner) ? inner : undefined;
}

function unifiedMount(): string | undefined {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return mounts.map((line) => line.split(' ')).find(([, , type]) => type === 'cgroup2')?.[1];
}

/** A process that ends by itself meanwhile, a kernel older than `cgroup.kill` (5.14): the next look shows what is left. */
function attempt(act: () => void): void {
  try {
    act();
  } catch {
    return;
  }
}
