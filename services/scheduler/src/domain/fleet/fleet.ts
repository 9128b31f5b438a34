import type { Heartbeat } from '@gantry/contracts/agents/heartbeat';
import type { PlacementEngine } from '../placement/placement-engine.js';
import {
  isLeaseOver,
  statusOf,
  type FleetTiming,
  type Listening,
  type WorkerRecord,
  type WorkerStatus,
} from './worker-record.js';

interface Member extends WorkerRecord {
  seenAt: number;
  /** Its lease was over before this scheduler started, and nothing depends on it. */
  readonly goneBefore: boolean;
  lostAnnounced: boolean;
}

export interface FleetWorker {
  readonly workerId: string;
  readonly heartbeat: Heartbeat;
  readonly seenAt: number;
  readonly status: WorkerStatus;
}

/** Silence and leases are counted in seconds; a look at 10,000 workers before each of 1,000 decisions a second is half a core. */
const REFRESH_EVERY_MS = 100;
const NEVER = Number.NEGATIVE_INFINITY;

/** Workers as their heartbeats show them, and who of them may get new work. */
export class Fleet {
  private readonly members = new Map<string, Member>();
  private listening: Listening = { since: 0, connected: false };
  private refreshedAt = NEVER;

  constructor(
    private readonly engine: PlacementEngine,
    readonly timing: FleetTiming,
  ) {}

  get size(): number {
    return this.members.size;
  }

  /** From now on heartbeats can be heard (again); until then nobody's lease ends. */
  listen(now: number): void {
    this.listening = { since: now, connected: true };
    this.refreshedAt = NEVER;
  }

  stopListening(): void {
    this.listening = { ...this.listening, connected: false };
    this.refreshedAt = NEVER;
  }

  /** The time of day was set forward by so much: leases are durations, so what was noted in the old time moves along. */
  clockStepped(milliseconds: number): void {
    this.listening = { ...this.listening, since: this.listening.since + milliseconds };
    for (const member of this.members.values()) member.seenAt += milliseconds;
    this.refreshedAt = NEVER;
  }

  /**
   * `seenAt`: when it was heard; for heartbeats read from the stream at start, when it was stored. Answers whether the agent
   * is new (or started anew). Older heartbeats than the known one change nothing.
   */
  observe(heartbeat: Heartbeat, seenAt: number, now: number): { joined: boolean; fresh: boolean } {
    const { workerId, session, sequence } = heartbeat;
    const known = this.members.get(workerId);
    if (known?.heartbeat.session === session && known.heartbeat.sequence >= sequence)
      return { joined: false, fresh: false };
    const old = now - seenAt > this.timing.lossAfterMs(this.timing.leaseMs);
    const goneBefore = old && this.engine.ledger.totals(workerId).tasks === 0;
    if (goneBefore && heartbeat.leaving) return { joined: false, fresh: false };
    const member: Member = { heartbeat, seenAt, goneBefore, lostAnnounced: goneBefore };
    this.members.set(workerId, member);
    this.engine.putWorker(workerId, heartbeat.spec, this.memberStatus(member, now) === 'active');
    return { joined: known?.heartbeat.session !== session, fresh: true };
  }

  /** Applies the passing of time to who may get new work; heartbeats are applied as they come. */
  refresh(now: number): void {
    const since = now - this.refreshedAt;
    if (since >= 0 && since < REFRESH_EVERY_MS) return;
    this.refreshedAt = now;
    for (const [workerId, member] of this.members)
      this.engine.setOpen(workerId, this.memberStatus(member, now) === 'active');
  }

  heartbeat(workerId: string): Heartbeat | undefined {
    return this.members.get(workerId)?.heartbeat;
  }

  nameOf(workerId: string): string {
    return this.members.get(workerId)?.heartbeat.spec.name ?? workerId;
  }

  seenAt(workerId: string): number {
    return this.members.get(workerId)?.seenAt ?? 0;
  }

  status(workerId: string, now: number): WorkerStatus | undefined {
    const member = this.members.get(workerId);
    return member === undefined ? undefined : this.memberStatus(member, now);
  }

  /** Also for workers never heard of, which may hold reservations after a restart. */
  isLost(workerId: string, now: number): boolean {
    const member = this.members.get(workerId);
    if (member === undefined) return isLeaseOver(0, now, this.timing, this.listening);
    return this.memberStatus(member, now) === 'lost';
  }

  /** Whether an attempt with this lease may be placed again: a worker may hold tasks of different leases. */
  isLeaseOver(workerId: string, leaseMs: number, now: number): boolean {
    return isLeaseOver(this.seenAt(workerId), now, this.timing, this.listening, leaseMs);
  }

  isLossAnnounced(workerId: string): boolean {
    return this.members.get(workerId)?.lostAnnounced ?? false;
  }

  markLossAnnounced(workerId: string): void {
    const member = this.members.get(workerId);
    if (member !== undefined) member.lostAnnounced = true;
  }

  workerIds(): Iterable<string> {
    return this.members.keys();
  }

  list(now: number): FleetWorker[] {
    const listed = [...this.members.values()].map((member) => ({
      workerId: member.heartbeat.workerId,
      heartbeat: member.heartbeat,
      seenAt: member.seenAt,
      status: this.memberStatus(member, now),
    }));
    return listed.sort(
      (a, b) => compareText(a.heartbeat.spec.name, b.heartbeat.spec.name) || compareText(a.workerId, b.workerId),
    );
  }

  /** Removes lost workers that nothing depends on: at once if they said good-bye, else after a while. */
  forget(now: number): void {
    for (const [workerId, member] of this.members) {
      if (
        !member.lostAnnounced ||
        this.memberStatus(member, now) !== 'lost' ||
        this.engine.ledger.totals(workerId).tasks > 0
      )
        continue;
      const saidGoodBye = member.heartbeat.leaving && member.heartbeat.running.length === 0;
      if (saidGoodBye || now - member.seenAt > this.timing.forgetLostAfterMs) this.members.delete(workerId);
    }
  }

  private memberStatus(member: Member, now: number): WorkerStatus {
    return member.goneBefore ? 'lost' : statusOf(member, now, this.timing, this.listening);
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
