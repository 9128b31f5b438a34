import { TransientMap } from '@gantry/kernel/transient-map';
import type { Shape } from '../placement/shape.js';

/** What one attempt of one task holds on one worker, from the decision until the attempt is over. */
export interface Reservation {
  readonly taskId: string;
  readonly attempt: number;
  readonly workerId: string;
  readonly cpuCenti: number;
  readonly memoryMb: number;
  readonly storageMb: number;
  readonly gpuIds: readonly string[];
}

export interface WorkerTotals {
  readonly tasks: number;
  readonly cpuCenti: number;
  readonly memoryMb: number;
  readonly storageMb: number;
  readonly gpuIds: ReadonlySet<string>;
}

interface Account {
  cpuCenti: number;
  memoryMb: number;
  storageMb: number;
  /** Device -> how many reservations name it: a history with a double hand-out must not free it too early. */
  readonly devices: Map<string, number>;
  readonly gpuIds: Set<string>;
  readonly reservations: TransientMap<string, Reservation>;
}

const NOTHING: WorkerTotals = { tasks: 0, cpuCenti: 0, memoryMb: 0, storageMb: 0, gpuIds: new Set() };

/**
 * Who holds what. A task has at most one reservation; reserving or releasing twice changes nothing, so events that are
 * delivered again are harmless, and totals are sums of what is there and never negative. Knows no capacities: workers that
 * have not been seen yet can hold reservations too (after a restart).
 */
export class ReservationLedger {
  private readonly byTask = new TransientMap<string, Reservation>();
  private readonly accounts = new TransientMap<string, Account>();

  /** False if the task already holds a reservation (of any attempt). */
  reserve(reservation: Reservation): boolean {
    if (this.byTask.has(reservation.taskId)) return false;
    this.byTask.set(reservation.taskId, reservation);
    let account = this.accounts.get(reservation.workerId);
    if (account === undefined) {
      account = {
        cpuCenti: 0,
        memoryMb: 0,
        storageMb: 0,
        devices: new Map(),
        gpuIds: new Set(),
        reservations: new TransientMap(),
      };
      this.accounts.set(reservation.workerId, account);
    }
    account.cpuCenti += reservation.cpuCenti;
    account.memoryMb += reservation.memoryMb;
    account.storageMb += reservation.storageMb;
    account.reservations.set(reservation.taskId, reservation);
    for (const id of reservation.gpuIds) {
      account.devices.set(id, (account.devices.get(id) ?? 0) + 1);
      account.gpuIds.add(id);
    }
    return true;
  }

  /** The reservation that was given back; undefined if the task holds none of this attempt. */
  release(taskId: string, attempt: number): Reservation | undefined {
    const reservation = this.byTask.get(taskId);
    if (reservation === undefined || reservation.attempt !== attempt) return undefined;
    this.byTask.delete(taskId);
    const account = this.accounts.get(reservation.workerId)!;
    account.reservations.delete(taskId);
    if (account.reservations.size === 0) {
      this.accounts.delete(reservation.workerId);
      return reservation;
    }
    account.cpuCenti -= reservation.cpuCenti;
    account.memoryMb -= reservation.memoryMb;
    account.storageMb -= reservation.storageMb;
    for (const id of reservation.gpuIds) {
      const holders = account.devices.get(id)! - 1;
      if (holders > 0) {
        account.devices.set(id, holders);
      } else {
        account.devices.delete(id);
        account.gpuIds.delete(id);
      }
    }
    return reservation;
  }

  of(taskId: string): Reservation | undefined {
    return this.byTask.get(taskId);
  }

  totals(workerId: string): WorkerTotals {
    const account = this.accounts.get(workerId);
    if (account === undefined) return NOTHING;
    const { cpuCenti, memoryMb, storageMb, gpuIds, reservations } = account;
    return { tasks: reservations.size, cpuCenti, memoryMb, storageMb, gpuIds };
  }

  reservationsOn(workerId: string): Iterable<Reservation> {
    return this.accounts.get(workerId)?.reservations.values() ?? [];
  }

  /** Tasks that hold a reservation. */
  tasks(): Iterable<string> {
    return this.byTask.keys();
  }

  workers(): Iterable<string> {
    return this.accounts.keys();
  }

  get size(): number {
    return this.byTask.size;
  }
}

export function reservationFor(
  task: { taskId: string; attempt: number },
  shape: Shape,
  workerId: string,
  gpuIds: readonly string[],
): Reservation {
  const { cpuCenti, memoryMb, storageMb } = shape;
  return { taskId: task.taskId, attempt: task.attempt, workerId, cpuCenti, memoryMb, storageMb, gpuIds };
}
