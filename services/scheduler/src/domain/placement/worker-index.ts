import type { GpuSpec, WorkerSpec } from '@gantry/contracts/agents/heartbeat';
import type { WorkerTotals } from '../ledger/reservation-ledger.js';
import { BitSet } from './bit-set.js';
import { countMatching } from './gpu-devices.js';
import { cpuCentiOf, type Room, type Shape } from './shape.js';

/** Fullness is kept in steps of about 0.1 %: exact enough to rank workers, coarse enough for equal ones to tie. */
export const FULLNESS_LEVELS = 1024;

const NONE: ReadonlySet<string> = new Set();

interface Slot {
  readonly workerId: string;
  spec: WorkerSpec;
  gpus: readonly GpuSpec[];
  /** Reserved or held. */
  takenGpuIds: ReadonlySet<string>;
  heldGpuIds: ReadonlySet<string>;
  level: number;
  gpuTier: 0 | 1;
  /** Queues, labels and devices as text: a change of these makes everything known about the worker's fit void. */
  identity: string;
  images: string;
}

/**
 * Workers by free capacity. Each worker has a small number (its slot); everything that a search touches is a typed array
 * or a bit set over slots. Workers are filed by fullness level (dominant share of what is reserved), apart for machines
 * with and without GPUs, so that a policy walks from the fullest or the emptiest level and stops at the first fit.
 */
export class WorkerIndex {
  /** levels[tier][level]: slots. Tier 1 = the worker has GPUs. */
  private readonly levels: [BitSet[], BitSet[]];
  private readonly filled: readonly [BitSet, BitSet] = [new BitSet(FULLNESS_LEVELS), new BitSet(FULLNESS_LEVELS)];
  private readonly slots: Slot[] = [];
  private readonly slotOf = new Map<string, number>();
  private readonly withImage = new Map<string, BitSet>();
  private freeCpu = new Float64Array(64);
  private freeMemory = new Float64Array(64);
  private freeStorage = new Float64Array(64);
  private freeTasks = new Float64Array(64);
  private freeGpus = new Float64Array(64);
  private open = new Uint8Array(64);

  /** Called when a worker may now fit something that it did not fit before. */
  constructor(
    private readonly onFreed: (slot: number) => void,
    private readonly onIdentityChanged: (slot: number) => void,
  ) {
    const tier = () => Array.from({ length: FULLNESS_LEVELS }, () => new BitSet(32));
    this.levels = [tier(), tier()];
  }

  get size(): number {
    return this.slots.length;
  }

  slot(workerId: string): number | undefined {
    return this.slotOf.get(workerId);
  }

  workerId(slot: number): string {
    return this.slots[slot]!.workerId;
  }

  spec(slot: number): WorkerSpec {
    return this.slots[slot]!.spec;
  }

  takenGpuIds(slot: number): ReadonlySet<string> {
    return this.slots[slot]!.takenGpuIds;
  }

  heldGpuIds(workerId: string): ReadonlySet<string> {
    const slot = this.slotOf.get(workerId);
    return slot === undefined ? NONE : this.slots[slot]!.heldGpuIds;
  }

  imageHolders(image: string): BitSet | undefined {
    return this.withImage.get(image);
  }

  levelOf(slot: number): number {
    return this.slots[slot]!.level;
  }

  tierOf(slot: number): 0 | 1 {
    return this.slots[slot]!.gpuTier;
  }

  level(tier: 0 | 1, level: number): BitSet {
    return this.levels[tier][level]!;
  }

  /** Levels of a tier that hold at least one worker. */
  filledLevels(tier: 0 | 1): BitSet {
    return this.filled[tier];
  }

  /** Adds or refreshes a worker. `open`: it may get new work. A worker that is gone is kept closed. */
  upsert(workerId: string, spec: WorkerSpec, open: boolean, reserved: WorkerTotals): void {
    let slot = this.slotOf.get(workerId);
    const identity = JSON.stringify([spec.queues, spec.labels, spec.gpus]);
    if (slot === undefined) {
      slot = this.slots.length;
      this.grow(slot + 1);
      this.slotOf.set(workerId, slot);
      const tier = spec.gpus.length > 0 ? 1 : 0;
      this.slots.push({
        workerId,
        spec,
        gpus: spec.gpus,
        takenGpuIds: reserved.gpuIds,
        heldGpuIds: NONE,
        level: 0,
        gpuTier: tier,
        identity,
        images: '',
      });
      this.levels[tier][0]!.add(slot);
      this.filled[tier].add(0);
      this.freeTasks[slot] = -1;
      this.onIdentityChanged(slot);
    }
    const entry = this.slots[slot]!;
    entry.spec = spec;
    entry.gpus = spec.gpus;
    this.fileImages(slot, entry, spec.images);
    if (entry.identity !== identity) {
      entry.identity = identity;
      this.onIdentityChanged(slot);
    }
    this.setOpen(workerId, open);
    this.setReserved(workerId, reserved);
  }

  setOpen(workerId: string, open: boolean): void {
    const slot = this.slotOf.get(workerId);
    if (slot === undefined || (this.open[slot] === 1) === open) return;
    this.open[slot] = open ? 1 : 0;
    if (open) this.onFreed(slot);
  }

  setHeld(workerId: string, held: ReadonlySet<string>, reserved: WorkerTotals): void {
    const slot = this.slotOf.get(workerId);
    if (slot === undefined) return;
    const entry = this.slots[slot]!;
    const before = entry.heldGpuIds;
    if (before.size === 0 && held.size === 0) return;
    entry.heldGpuIds = held;
    this.setReserved(workerId, reserved);
    // Another device may be held instead, and the number of free ones be the same.
    for (const id of before) if (!held.has(id)) this.onFreed(slot);
  }

  setReserved(workerId: string, reserved: WorkerTotals): void {
    const slot = this.slotOf.get(workerId);
    if (slot === undefined) return;
    const entry = this.slots[slot]!;
    const { capacity, maxTasks, gpus } = entry.spec;
    const cpuTotal = cpuCentiOf(capacity.cpu);
    const cpu = cpuTotal - reserved.cpuCenti;
    const memory = capacity.memoryMb - reserved.memoryMb;
    const storage = capacity.storageMb - reserved.storageMb;
    const tasks = maxTasks - reserved.tasks;
    const taken = union(reserved.gpuIds, entry.heldGpuIds);
    const freeGpus = taken.size === 0 ? gpus.length : countFree(gpus, taken);
    const freed =
      cpu > this.freeCpu[slot]! ||
      memory > this.freeMemory[slot]! ||
      storage > this.freeStorage[slot]! ||
      tasks > this.freeTasks[slot]! ||
      freeGpus > this.freeGpus[slot]!;
    this.freeCpu[slot] = cpu;
    this.freeMemory[slot] = memory;
    this.freeStorage[slot] = storage;
    this.freeTasks[slot] = tasks;
    this.freeGpus[slot] = freeGpus;
    entry.takenGpuIds = taken;
    const share = Math.max(
      ratio(reserved.cpuCenti, cpuTotal),
      ratio(reserved.memoryMb, capacity.memoryMb),
      ratio(reserved.storageMb, capacity.storageMb),
      ratio(reserved.tasks, maxTasks),
      ratio(gpus.length - freeGpus, gpus.length),
    );
    this.file(
      slot,
      entry,
      gpus.length > 0 ? 1 : 0,
      share === 0 ? 0 : Math.min(FULLNESS_LEVELS - 1, 1 + Math.floor(share * (FULLNESS_LEVELS - 2))),
    );
    if (freed) this.onFreed(slot);
  }

  /** Room now for a task of this shape; labels and queues are checked by `serves`. */
  hasRoom(slot: number, shape: Shape): boolean {
    if (
      this.freeCpu[slot]! < shape.cpuCenti ||
      this.freeMemory[slot]! < shape.memoryMb ||
      this.freeStorage[slot]! < shape.storageMb ||
      this.freeTasks[slot]! < 1 ||
      this.open[slot] === 0
    ) {
      return false;
    }
    if (shape.gpuCount === 0) return true;
    if (this.freeGpus[slot]! < shape.gpuCount) return false;
    const { gpus, takenGpuIds } = this.slots[slot]!;
    return countMatching(gpus, takenGpuIds, shape) >= shape.gpuCount;
  }

  /** What is free on an open worker; undefined if it takes nothing now. */
  roomOf(slot: number): Room | undefined {
    if (this.open[slot] === 0 || this.freeTasks[slot]! < 1) return undefined;
    return {
      cpuCenti: this.freeCpu[slot]!,
      memoryMb: this.freeMemory[slot]!,
      storageMb: this.freeStorage[slot]!,
      gpuCount: this.freeGpus[slot]!,
    };
  }

  serves(slot: number, shape: Pick<Shape, 'queue' | 'labels'>): boolean {
    return servesShape(this.slots[slot]!.spec, shape);
  }

  private file(slot: number, entry: Slot, tier: 0 | 1, level: number): void {
    if (entry.level === level && entry.gpuTier === tier) return;
    const left = this.levels[entry.gpuTier][entry.level]!;
    left.delete(slot);
    if (left.size === 0) this.filled[entry.gpuTier].delete(entry.level);
    entry.level = level;
    entry.gpuTier = tier;
    this.levels[tier][level]!.add(slot);
    this.filled[tier].add(level);
  }

  private fileImages(slot: number, entry: Slot, images: readonly string[]): void {
    const joined = images.join('\n');
    if (joined === entry.images) return;
    const before = new Set(entry.images === '' ? [] : entry.images.split('\n'));
    for (const image of images) {
      if (before.delete(image)) continue;
      let holders = this.withImage.get(image);
      if (holders === undefined) this.withImage.set(image, (holders = new BitSet(this.slots.length)));
      holders.add(slot);
    }
    for (const gone of before) {
      const holders = this.withImage.get(gone);
      holders?.delete(slot);
      if (holders?.size === 0) this.withImage.delete(gone);
    }
    entry.images = joined;
  }

  private grow(size: number): void {
    if (size <= this.freeCpu.length) return;
    const length = this.freeCpu.length * 2;
    const wider = (old: Float64Array<ArrayBuffer>) => {
      const next = new Float64Array(length);
      next.set(old);
      return next;
    };
    this.freeCpu = wider(this.freeCpu);
    this.freeMemory = wider(this.freeMemory);
    this.freeStorage = wider(this.freeStorage);
    this.freeTasks = wider(this.freeTasks);
    this.freeGpus = wider(this.freeGpus);
    const open = new Uint8Array(length);
    open.set(this.open);
    this.open = open;
  }
}

export function servesShape(spec: WorkerSpec, shape: Pick<Shape, 'queue' | 'labels'>): boolean {
  if (spec.queues.length > 0 && !spec.queues.includes(shape.queue)) return false;
  return shape.labels.every(([key, value]) => spec.labels[key] === value);
}

function ratio(used: number, total: number): number {
  if (used <= 0) return 0;
  return total <= 0 ? 1 : Math.min(1, used / total);
}

/** Without a copy where one of them is empty, which is nearly always so. */
function union(reserved: ReadonlySet<string>, held: ReadonlySet<string>): ReadonlySet<string> {
  return held.size === 0 ? reserved : new Set([...reserved, ...held]);
}

function countFree(gpus: readonly GpuSpec[], taken: ReadonlySet<string>): number {
  let free = 0;
  for (const gpu of gpus) if (!taken.has(gpu.id)) free += 1;
  return free;
}
