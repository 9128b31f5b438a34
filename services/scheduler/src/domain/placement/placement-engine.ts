import type { WorkerSpec } from '@gantry/contracts/agents/heartbeat';
import { ReservationLedger, reservationFor, type Reservation } from '../ledger/reservation-ledger.js';
import { selectDevices } from './gpu-devices.js';
import type { PlacementSearch, PolicyName } from './placement-policy.js';
import { PlacementOrder } from './placement-order.js';
import { policies } from './policies.js';
import { WaitingTasks } from './waiting-tasks.js';
import type { QueuedTask } from './queued-task.js';
import type { TaskGroup } from './task-group.js';
import { WorkerIndex } from './worker-index.js';

export interface PolicyChoice {
  readonly default: PolicyName;
  readonly queues: Readonly<Record<string, PolicyName>>;
}

export interface Decision {
  readonly taskId: string;
  readonly workerId: string;
  readonly gpuIds: readonly string[];
}

/** Bounds a pass when a great many different shapes were woken at once; the rest stays ready for the next pass. */
const MAX_FAILED_SEARCHES = 5_000;

/**
 * The incremental core of placement. Workers, reservations and queued tasks are told one by one; `decide` places what
 * fits, best first, and reserves it. Deterministic: no clock, no random; the same calls give the same decisions. Cost of a
 * pass follows the decisions made and the shapes that something freed may help, never the length of the queue.
 */
export class PlacementEngine {
  readonly workers: WorkerIndex;
  readonly waiting: WaitingTasks;
  private readonly lastSlotOfQueue = new Map<string, number>();

  constructor(
    private readonly policy: PolicyChoice,
    readonly ledger = new ReservationLedger(),
  ) {
    this.workers = new WorkerIndex(
      (slot) => this.waiting.noteFreed(slot),
      (slot) => this.waiting.noteIdentity(slot),
    );
    this.waiting = new WaitingTasks(this.workers);
  }

  /** `open`: may get new work. */
  putWorker(workerId: string, spec: WorkerSpec, open: boolean): void {
    this.workers.upsert(workerId, spec, open, this.ledger.totals(workerId));
  }

  setOpen(workerId: string, open: boolean): void {
    this.workers.setOpen(workerId, open);
  }

  /** Devices that something is left on: not given to anybody, though nobody has them reserved. Replaces what was said before. */
  setHeldGpus(workerId: string, gpuIds: ReadonlySet<string>): void {
    this.workers.setHeld(workerId, gpuIds, this.ledger.totals(workerId));
  }

  heldGpuIds(workerId: string): ReadonlySet<string> {
    return this.workers.heldGpuIds(workerId);
  }

  reserve(reservation: Reservation): boolean {
    const reserved = this.ledger.reserve(reservation);
    if (reserved) this.workers.setReserved(reservation.workerId, this.ledger.totals(reservation.workerId));
    return reserved;
  }

  release(taskId: string, attempt: number): Reservation | undefined {
    const reservation = this.ledger.release(taskId, attempt);
    if (reservation !== undefined)
      this.workers.setReserved(reservation.workerId, this.ledger.totals(reservation.workerId));
    return reservation;
  }

  policyOf(queue: string): PolicyName {
    return (Object.hasOwn(this.policy.queues, queue) ? this.policy.queues[queue] : undefined) ?? this.policy.default;
  }

  /** True if a pass may place something. */
  get hasReady(): boolean {
    return this.waiting.hasReady;
  }

  /**
   * Places up to `limit` tasks, in queue order; a task that fits nowhere does not hold up those behind it. Each placed task
   * leaves the queue and holds its reservation when this returns. `attemptOf` names the attempt to reserve for. A pass is
   * bounded, so call it again while `hasReady`.
   */
  decide(limit: number, attemptOf: (taskId: string) => number): Decision[] {
    const decisions: Decision[] = [];
    const order = new PlacementOrder(this.waiting);
    for (let searches = 0; decisions.length < limit && searches < limit + MAX_FAILED_SEARCHES; searches += 1) {
      const group = order.next();
      if (group === undefined) break;
      const task = group.first!;
      const slot = this.findSlot(group, task);
      if (slot < 0) {
        order.blocked(group);
        continue;
      }
      decisions.push(this.place(task, slot, attemptOf(task.taskId)));
      order.placed(group);
    }
    return decisions;
  }

  private findSlot(group: TaskGroup, task: QueuedTask): number {
    const { workers } = this;
    const { shape, candidates } = group;
    const avoid = task.avoidWorkerId === undefined ? undefined : workers.slot(task.avoidWorkerId);
    const search: PlacementSearch = {
      shape,
      workers,
      candidates,
      imageHolders: workers.imageHolders(task.image),
      lastSlot: this.lastSlotOfQueue.get(shape.queue) ?? -1,
      accept: (slot) => {
        if (slot === avoid) return false;
        if (workers.hasRoom(slot, shape)) return true;
        candidates.delete(slot);
        return false;
      },
    };
    const slot = policies[this.policyOf(shape.queue)].choose(search);
    if (slot >= 0 || avoid === undefined) return slot;
    return candidates.has(avoid) && workers.hasRoom(avoid, shape) ? avoid : -1;
  }

  private place(task: QueuedTask, slot: number, attempt: number): Decision {
    const workerId = this.workers.workerId(slot);
    const gpuIds = selectDevices(this.workers.spec(slot).gpus, this.workers.takenGpuIds(slot), task.shape);
    if (gpuIds === undefined) throw new Error('a worker was chosen that has too few devices');
    const reserved = this.reserve(reservationFor({ taskId: task.taskId, attempt }, task.shape, workerId, gpuIds));
    if (!reserved) throw new Error('a queued task held a reservation');
    this.lastSlotOfQueue.set(task.shape.queue, slot);
    return { taskId: task.taskId, workerId, gpuIds };
  }
}
