import { describe, expect, it } from 'vitest';
import { KEEPER_VERSION, type KeeperOrders, type KeptAttempt } from './keeper-orders.js';
import { LeaseKeeper } from './lease-keeper.js';

const attempt = (id: string, extra: Partial<KeptAttempt> = {}): KeptAttempt => ({
  containerId: id,
  group: `group-${id}`,
  killAfterMs: 13_000,
  started: true,
  mark: `mark-${id}`,
  ...extra,
});

/** A machine on which processes are numbers in groups; what is killed is gone at once. */
class Machine {
  at = 0;
  agentAlive = true;
  readonly groups = new Map<string, number[]>();
  readonly marks: string[] = [];
  readonly killed: number[] = [];
  orders: KeeperOrders | undefined = {
    version: KEEPER_VERSION,
    agent: { pid: 1, startTicks: 1 },
    bootId: 'boot',
    renewedAt: 0,
    attempts: [],
  };

  readonly keeper = new LeaseKeeper({
    readOrders: () => this.orders,
    groups: {
      members: (names) =>
        new Map(
          [...this.groups]
            .filter(([name, pids]) => names.has(name) && pids.length > 0)
            .map(([name, pids]) => [name, pids.map((pid) => ({ pid, startTicks: 0, unified: undefined }))]),
        ),
      end: (members) => {
        for (const { pid } of members) {
          this.killed.push(pid);
          for (const [name, pids] of this.groups)
            this.groups.set(
              name,
              pids.filter((other) => other !== pid),
            );
        }
      },
    },
    isAlive: () => this.agentAlive,
    mark: (file) => void this.marks.push(file),
    now: () => this.at,
  });

  order(change: Partial<KeeperOrders>): void {
    if (this.orders !== undefined) this.orders = { ...this.orders, ...change };
  }

  lookAt(at: number): boolean {
    this.at = at;
    return this.keeper.look();
  }
}

describe('the lease keeper', () => {
  it('kills what was not renewed, and only that, after saying why', () => {
    const machine = new Machine();
    machine.order({ attempts: [attempt('short'), attempt('long', { killAfterMs: 60_000 })] });
    machine.groups.set('group-short', [10, 11]).set('group-long', [20]).set('group-other', [30]);
    machine.lookAt(12_999);
    expect(machine.killed).toEqual([]);
    machine.lookAt(13_000);
    expect(machine.killed).toEqual([10, 11]);
    expect(machine.marks).toEqual(['mark-short']);
  });

  it('leaves alone what is renewed in time, and what the agent no longer wants kept', () => {
    const machine = new Machine();
    machine.order({ attempts: [attempt('a'), attempt('b')] });
    machine.groups.set('group-a', [10]).set('group-b', [11]);
    machine.lookAt(10_000);
    machine.order({ renewedAt: 9_000, attempts: [attempt('a')] });
    machine.lookAt(20_000);
    expect(machine.killed).toEqual([]);
    machine.lookAt(22_000);
    expect(machine.killed).toEqual([10]);
  });

  it('kills what an engine starts only after the lease', () => {
    const machine = new Machine();
    machine.agentAlive = false;
    machine.order({ attempts: [attempt('late', { started: false })] });
    expect(machine.lookAt(100_000)).toBe(true);
    machine.groups.set('group-late', [10]);
    machine.lookAt(100_250);
    expect(machine.killed).toEqual([10]);
  });

  it('says nothing of what had ended by itself', () => {
    const machine = new Machine();
    machine.order({ attempts: [attempt('a')] });
    machine.lookAt(20_000);
    expect(machine.marks).toEqual([]);
  });

  it('kills again what an agent renewed and left anew', () => {
    const machine = new Machine();
    machine.order({ attempts: [attempt('a')] });
    machine.groups.set('group-a', [10]);
    machine.lookAt(13_000);
    machine.order({ renewedAt: 13_000 });
    machine.lookAt(14_000);
    machine.groups.set('group-a', [11]);
    machine.lookAt(26_000);
    expect(machine.killed).toEqual([10, 11]);
  });

  it('ends when its agent is gone and nothing can run any more; not before', () => {
    const machine = new Machine();
    machine.order({ attempts: [attempt('a')] });
    machine.groups.set('group-a', [10]);
    expect(machine.lookAt(1_000)).toBe(true);
    machine.agentAlive = false;
    expect(machine.lookAt(2_000)).toBe(true);
    expect(machine.lookAt(13_000)).toBe(false);
    expect(machine.killed).toEqual([10]);
    machine.order({ attempts: [attempt('never', { started: false })] });
    expect(machine.lookAt(14_000)).toBe(true);
    expect(machine.lookAt(14_000 + 3_600_001)).toBe(false);
  });

  it('stays beside an agent that has nothing to do', () => {
    const machine = new Machine();
    expect(machine.lookAt(1_000)).toBe(true);
    machine.agentAlive = false;
    expect(machine.lookAt(2_000)).toBe(false);
  });

  it('goes by what it last read when it cannot read', () => {
    const machine = new Machine();
    machine.order({ attempts: [attempt('a')] });
    machine.groups.set('group-a', [10]);
    machine.lookAt(1_000);
    machine.orders = undefined;
    machine.lookAt(13_000);
    expect(machine.killed).toEqual([10]);
  });
});
