import type { Heartbeat } from '@gantry/contracts/agents/heartbeat';
import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import { backOff, pause } from '@gantry/jetstream/pause';
import type { Logger } from '@gantry/nest-platform/logger';
import { RuntimeProblem } from '../runtime/container-runtime.port.js';
import type { GpuProcess } from '../telemetry/gpu/gpu-processes.js';
import { attemptKey } from './agent-store.js';
import type { DeviceClaim, DeviceClaims } from './device-claims.js';
import type { GpuHolders } from './gpu-holders.js';

const LOOK_MS = 500;
/** A process may be stuck for hours, and the driver's tool is not cheap. */
const LONGEST_LOOK_MS = 5_000;
const CHECK_MS = 50;
/** Until then a look has mostly found out which process it is. */
const TELL_AFTER_MS = 2_000;
/** A driver lets go within seconds; after this the attempt is better off elsewhere. */
const LONGEST_WAIT_MS = 30_000;

type AttemptRef = Pick<AssignEventData<'TaskAssigned'>, 'taskId' | 'attempt' | 'gpuIds'>;

export interface GpuCustodyPorts {
  readonly claims: DeviceClaims;
  readonly holders: Pick<GpuHolders, 'find'>;
  /** Every device of this machine. */
  devices(): readonly string[];
  /** Devices are free that somebody may be waiting for. */
  readonly onFreed: () => void;
  readonly logger: Pick<Logger, 'warn'>;
  /** The end of the agent. */
  readonly signal: AbortSignal;
  readonly longestWaitMs?: number;
}

/**
 * Sees to it that no container gets a device while a process of an earlier attempt is still on it: a device is claimed before a
 * container is made, and a claim ends only when a look at the device shows nothing of its attempt any more. Claims outlive the agent.
 * Those of attempts that nobody here carries on, because they were lost or their records are gone, are watched until they end.
 */
export class GpuCustody {
  /** Claims of attempts that are carried on; they are ended by `release`. */
  private readonly carried = new Set<string>();
  private readonly seen = new Map<string, readonly GpuProcess[]>();
  private watching = false;

  constructor(private readonly ports: GpuCustodyPorts) {}

  /**
   * Resolves when the attempt has its devices, or the signal aborts. `onWait` is called at most once. Rejects with a
   * `RuntimeProblem` when they do not become free in time.
   */
  async take(of: AttemptRef, onWait: (heldBy: string) => void, signal: AbortSignal): Promise<void> {
    const { longestWaitMs = LONGEST_WAIT_MS } = this.ports;
    const began = performance.now();
    let told = false;
    for (;;) {
      if (of.gpuIds.length === 0 || signal.aborted) return;
      // What an earlier life of the agent began for this very attempt is an earlier container, too.
      const blocking = this.ports.claims.list().find(({ gpuIds }) => gpuIds.some((id) => of.gpuIds.includes(id)));
      if (blocking === undefined) {
        // Nothing is awaited in between: of two that wait for a device one has it, and the other goes on waiting.
        this.carry({ ...of, key: attemptKey(of.taskId, of.attempt) });
        return;
      }
      const waitedMs = performance.now() - began;
      if (waitedMs >= longestWaitMs)
        throw new RuntimeProblem(
          'infrastructure_error',
          `The container was not started, because its GPUs did not become free within ${longestWaitMs / 1_000} s (${this.heldBy(blocking, of)}).`,
        );
      if (!told && (this.seen.has(blocking.key) || waitedMs >= TELL_AFTER_MS)) {
        told = true;
        onWait(this.heldBy(blocking, of));
      }
      await pause(CHECK_MS, signal);
    }
  }

  /** The container is made: from now on its processes can be known by it. */
  made({ taskId, attempt }: AttemptRef, containerId: string): void {
    const claim = this.ports.claims.of(attemptKey(taskId, attempt));
    if (claim !== undefined) this.ports.claims.put({ ...claim, containerId });
  }

  /** Carries an attempt of an earlier life on. `containerId`: of a container that may have run. */
  inherit(of: AttemptRef, containerId: string | undefined): void {
    const key = attemptKey(of.taskId, of.attempt);
    const known = this.ports.claims.of(key);
    if (of.gpuIds.length === 0 || (known === undefined && containerId === undefined)) return;
    this.carry({ ...known, ...of, key, ...(containerId === undefined ? {} : { containerId }) });
  }

  /** A container is removed of which nothing else is known, so that it may be on any device. */
  disown(taskId: string, attempt: number, containerId: string): void {
    const key = attemptKey(taskId, attempt);
    const gpuIds = this.ports.claims.of(key)?.gpuIds ?? [...this.ports.devices()];
    if (gpuIds.length > 0) this.ports.claims.put({ key, taskId, attempt, gpuIds, containerId });
  }

  /**
   * Waits until no process of an attempt is left on its devices. `onWait` is called once, with the processes that hold them. What an
   * earlier life began and this one did not carry on is not waited for: it is watched, and the attempt may be placed elsewhere.
   */
  async release(
    { taskId, attempt }: AttemptRef,
    onWait: (pids: readonly number[]) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const { claims } = this.ports;
    const key = attemptKey(taskId, attempt);
    for (let waited = false; !signal.aborted; waited = true) {
      const claim = claims.of(key);
      if (claim === undefined || !this.carried.has(key) || (await this.endIfFree([claim])).length === 0) {
        if (waited) this.ports.onFreed();
        return;
      }
      if (!waited) await onWait((this.seen.get(key) ?? []).map(({ pid }) => pid));
      await pause(LOOK_MS, signal);
    }
  }

  /** The attempt is over here: whatever it may still claim is watched from now on. */
  leave({ taskId, attempt }: AttemptRef): void {
    this.carried.delete(attemptKey(taskId, attempt));
    this.watch();
  }

  /** Ends the claims that nobody carries on as soon as nothing is left of them; call it when all leftovers are taken up. */
  watch(): void {
    if (!this.watching) void this.lookOn();
  }

  /** Devices that an attempt may be using. */
  claimedBy(key: string): readonly string[] {
    return this.carried.has(key) ? (this.ports.claims.of(key)?.gpuIds ?? []) : [];
  }

  /** Devices on which something may be left of attempts that nobody carries on. */
  leftOn(): NonNullable<Heartbeat['heldGpuIds']> {
    return [...new Set(this.abandoned().flatMap(({ gpuIds }) => gpuIds))].sort();
  }

  private async lookOn(): Promise<void> {
    const { signal, logger, onFreed } = this.ports;
    this.watching = true;
    for (let round = 0; !signal.aborted; round += 1) {
      const before = this.abandoned();
      if (before.length === 0) break;
      try {
        const left = await this.endIfFree(before);
        if (left.length < before.length) onFreed();
        if (left.length === 0) continue;
      } catch (error) {
        logger.warn({ err: error }, 'GPUs of earlier attempts cannot be looked at');
      }
      await pause(backOff(round, LOOK_MS, LONGEST_LOOK_MS), signal);
    }
    this.watching = false;
  }

  /** Answers the claims of which something is left. */
  private async endIfFree(looked: readonly DeviceClaim[]): Promise<DeviceClaim[]> {
    const found = await this.ports.holders.find(looked);
    return looked.filter((claim) => {
      const holders = found.get(claim.key);
      if (holders !== undefined) {
        this.seen.set(claim.key, holders);
        return true;
      }
      const current = this.ports.claims.of(claim.key);
      // Changed during the look, it may be of processes that were not looked for.
      if (current !== undefined && current !== claim) return true;
      this.ports.claims.drop(claim.key);
      this.carried.delete(claim.key);
      this.seen.delete(claim.key);
      return false;
    });
  }

  private carry(claim: DeviceClaim): void {
    const { key, taskId, attempt, gpuIds, containerId } = claim;
    this.carried.add(key);
    this.ports.claims.put({
      key,
      taskId,
      attempt,
      gpuIds: [...gpuIds],
      ...(containerId === undefined ? {} : { containerId }),
    });
  }

  private abandoned(): DeviceClaim[] {
    return this.ports.claims.list().filter(({ key }) => !this.carried.has(key));
  }

  /** Without the name of the other task: it may be another user's. */
  private heldBy({ key, gpuIds }: DeviceClaim, wanted: AttemptRef): string {
    const holders = this.seen.get(key) ?? [];
    if (holders.length > 0)
      return holders.map(({ gpuId, pid }) => `${gpuId} is held by process ${pid} of an earlier attempt`).join(', ');
    const shared = gpuIds.filter((id) => wanted.gpuIds.includes(id));
    return `${shared.join(', ')} ${shared.length === 1 ? 'is' : 'are'} held by an earlier attempt that is being cleaned up`;
  }
}
