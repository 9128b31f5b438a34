import type { KeeperOrders, KeptAttempt, ProcessIdentity } from './keeper-orders.js';
import type { Member } from './control-groups.js';

export interface KeeperParts {
  /** Undefined if they cannot be read; what was read before holds then. */
  readOrders(): KeeperOrders | undefined;
  readonly groups: {
    members(names: ReadonlySet<string>): Map<string, Member[]>;
    end(members: readonly Member[]): void;
  };
  isAlive(process: ProcessIdentity): boolean;
  readonly mark: (file: string) => void;
  /** The monotonic clock of the machine, ms. */
  readonly now: () => number;
}

/** A start that an engine was asked for and never confirmed may come as late as the engine wakes up; it is waited for so long. */
const LATE_START_MS = 3_600_000;
/** A group that forks while it is killed is killed again at once. */
const ROUNDS = 5;

/**
 * Ends every container whose lease is over, though the agent and the engine may be dead or frozen. Knows nothing of tasks, broker
 * and engine: only names of control groups, and until when each may live.
 */
export class LeaseKeeper {
  private orders: KeeperOrders | undefined;
  private readonly dueSince = new Map<string, number>();
  private readonly seen = new Set<string>();
  private readonly settled = new Set<string>();

  constructor(private readonly parts: KeeperParts) {}

  /** Looks once. False: nothing is left to be kept and nobody is there to ask for more. */
  look(): boolean {
    this.orders = this.parts.readOrders() ?? this.orders;
    if (this.orders === undefined) return false;
    const { agent, renewedAt, attempts } = this.orders;
    const now = this.parts.now();
    const due = attempts.filter(({ killAfterMs }) => now >= renewedAt + killAfterMs);
    this.forgetAllBut(due);
    this.enforce(due.filter(({ containerId }) => !this.settled.has(containerId)));
    return this.parts.isAlive(agent) || attempts.some(({ containerId }) => !this.settled.has(containerId));
  }

  /** What was renewed, or is no longer kept, begins anew. */
  private forgetAllBut(due: readonly KeptAttempt[]): void {
    const now = this.parts.now();
    const ids = new Set(due.map(({ containerId }) => containerId));
    for (const id of ids) if (!this.dueSince.has(id)) this.dueSince.set(id, now);
    for (const id of this.dueSince.keys()) {
      if (ids.has(id)) continue;
      this.dueSince.delete(id);
      this.seen.delete(id);
      this.settled.delete(id);
    }
  }

  private enforce(due: readonly KeptAttempt[]): void {
    if (due.length === 0) return;
    const { groups, mark, now } = this.parts;
    const names = new Set(due.map(({ group }) => group));
    let running = groups.members(names);
    for (let round = 0; running.size > 0 && round < ROUNDS; round += 1) {
      for (const { containerId, group, mark: file } of due) {
        if (!running.has(group) || this.seen.has(containerId)) continue;
        this.seen.add(containerId);
        mark(file);
      }
      groups.end([...running.values()].flat());
      running = groups.members(names);
    }
    for (const { containerId, group, started } of due) {
      if (running.has(group)) continue;
      const late = now() - (this.dueSince.get(containerId) ?? now()) > LATE_START_MS;
      if (started || this.seen.has(containerId) || late) this.settled.add(containerId);
    }
  }
}
