import type { Heartbeat } from '@gantry/contracts/agents/heartbeat';
import { inactiveAfterMs } from '@gantry/contracts/messaging/lease-timing';
import type { WorkerView } from '@gantry/contracts/scheduling/scheduler-requests';

export type WorkerStatus = WorkerView['status'];

export interface FleetTiming {
  readonly heartbeatMs: number;
  /** Of the worker itself, and of tasks that ask for no other. */
  readonly leaseMs: number;
  /** The silence after which an attempt with this lease may be placed again. */
  lossAfterMs(leaseMs: number): number;
  /** A lost worker without work is shown for so long. */
  readonly forgetLostAfterMs: number;
}

/** When the scheduler could last have heard from anybody: its start, or the last reconnect to the broker. */
export interface Listening {
  readonly since: number;
  readonly connected: boolean;
}

export interface WorkerRecord {
  readonly heartbeat: Heartbeat;
  /** When the newest heartbeat was heard (or stored, if it was read from the stream at start). */
  readonly seenAt: number;
}

const MEMORY_OVERLOAD = 0.97;

/** A worker whose heartbeats have stopped is not to be trusted with new work, long before its lease is over. */
export function isSilent(seenAt: number, now: number, timing: FleetTiming): boolean {
  return now - seenAt > inactiveAfterMs(timing.heartbeatMs);
}

/**
 * The lease counts from the newest heartbeat, but never from before the scheduler was listening: after a broker outage
 * or a restart every lease counts as just renewed, because the agents could not have been heard.
 */
export function isLeaseOver(
  seenAt: number,
  now: number,
  timing: FleetTiming,
  listening: Listening,
  leaseMs = timing.leaseMs,
): boolean {
  return listening.connected && now - Math.max(seenAt, listening.since) > timing.lossAfterMs(leaseMs);
}

/** Host memory in use beyond its limit. Busy CPUs are normal: they are what the machine is for. */
function isOverloaded({ usage }: Heartbeat): boolean {
  return (
    usage.memoryTotalMb !== undefined &&
    usage.memoryTotalMb > 0 &&
    usage.memoryUsedMb > usage.memoryTotalMb * MEMORY_OVERLOAD
  );
}

export function statusOf(record: WorkerRecord, now: number, timing: FleetTiming, listening: Listening): WorkerStatus {
  const { heartbeat, seenAt } = record;
  const over = isLeaseOver(seenAt, now, timing, listening);
  if (over) return 'lost';
  if (heartbeat.leaving) return 'leaving';
  if (isSilent(seenAt, now, timing)) return 'inactive';
  return isOverloaded(heartbeat) ? 'overloaded' : 'active';
}
