import { TransientMap } from '@gantry/kernel/transient-map';
import type { Room } from './shape.js';
import { compareTasks, type QueuedTask } from './queued-task.js';
import type { TaskGroup } from './task-group.js';

/** `task`: the group's first one when it was added. The other fields: the least that any group at or below this node asks for. */
interface Node extends Room {
  readonly group: TaskGroup;
  readonly task: QueuedTask;
  /** Of two nodes the one with the higher rank is nearer to the root. */
  readonly rank: number;
  left: Node | undefined;
  right: Node | undefined;
  cpuCenti: number;
  memoryMb: number;
  storageMb: number;
  gpuCount: number;
}

/**
 * Groups that fitted nowhere, in the order of their first tasks: a treap whose nodes know the least that anything below them asks
 * for. The first group that fits a worker is found without looking at the others, however many different shapes wait.
 */
export class BlockedGroups {
  private root: Node | undefined;
  private readonly tasks = new TransientMap<TaskGroup, QueuedTask>();
  private seed = 1;

  /** Not empty, and not here yet. */
  add(group: TaskGroup): void {
    const task = group.first!;
    this.tasks.set(group, task);
    this.root = inserted(this.root, leafOf(group, task, this.nextRank()));
  }

  delete(group: TaskGroup): void {
    const task = this.tasks.get(group);
    if (task === undefined) return;
    this.tasks.delete(group);
    this.root = without(this.root, task);
  }

  /** After something was added to a group or taken from it, and at least one task is left. */
  refile(group: TaskGroup): void {
    const task = this.tasks.get(group);
    if (task === undefined || task === group.first) return;
    this.delete(group);
    this.add(group);
  }

  /** The first group whose needs are within `room` and that `accept` takes; not before `from`, if given. */
  first(room: Room, accept: (group: TaskGroup) => boolean, from?: QueuedTask): TaskGroup | undefined {
    return firstIn(this.root, room, accept, from);
  }

  /** Any numbers that do not follow the order of the tasks keep the tree flat; these are the same in every run (xorshift). */
  private nextRank(): number {
    let x = this.seed;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.seed = x;
    return x;
  }
}

function leafOf(group: TaskGroup, task: QueuedTask, rank: number): Node {
  const { cpuCenti, memoryMb, storageMb, gpuCount } = group.shape;
  return { group, task, rank, left: undefined, right: undefined, cpuCenti, memoryMb, storageMb, gpuCount };
}

function firstIn(
  node: Node | undefined,
  room: Room,
  accept: (group: TaskGroup) => boolean,
  from: QueuedTask | undefined,
): TaskGroup | undefined {
  if (node === undefined || !isWithin(node, room)) return undefined;
  if (from !== undefined && compareTasks(node.task, from) < 0) return firstIn(node.right, room, accept, from);
  const before = firstIn(node.left, room, accept, from);
  if (before !== undefined) return before;
  if (isWithin(node.group.shape, room) && accept(node.group)) return node.group;
  // Whatever is behind this node is behind `from`, too.
  return firstIn(node.right, room, accept, undefined);
}

function isWithin(need: Room, room: Room): boolean {
  return (
    need.cpuCenti <= room.cpuCenti &&
    need.memoryMb <= room.memoryMb &&
    need.storageMb <= room.storageMb &&
    need.gpuCount <= room.gpuCount
  );
}

function inserted(node: Node | undefined, added: Node): Node {
  if (node === undefined) return added;
  if (added.rank > node.rank) {
    [added.left, added.right] = split(node, added.task);
    return summed(added);
  }
  if (compareTasks(added.task, node.task) < 0) node.left = inserted(node.left, added);
  else node.right = inserted(node.right, added);
  return summed(node);
}

function without(node: Node | undefined, task: QueuedTask): Node | undefined {
  if (node === undefined) return undefined;
  if (node.task === task) return joined(node.left, node.right);
  if (compareTasks(task, node.task) < 0) node.left = without(node.left, task);
  else node.right = without(node.right, task);
  return summed(node);
}

/** What is before `task`, and the rest. */
function split(node: Node | undefined, task: QueuedTask): [Node | undefined, Node | undefined] {
  if (node === undefined) return [undefined, undefined];
  if (compareTasks(node.task, task) < 0) {
    const [before, rest] = split(node.right, task);
    node.right = before;
    return [summed(node), rest];
  }
  const [before, rest] = split(node.left, task);
  node.left = rest;
  return [before, summed(node)];
}

/** All of `before` is before all of `after`. */
function joined(before: Node | undefined, after: Node | undefined): Node | undefined {
  if (before === undefined) return after;
  if (after === undefined) return before;
  if (before.rank > after.rank) {
    before.right = joined(before.right, after);
    return summed(before);
  }
  after.left = joined(before, after.left);
  return summed(after);
}

function summed(node: Node): Node {
  const { left, right } = node;
  const { shape } = node.group;
  node.cpuCenti = least(shape.cpuCenti, left?.cpuCenti, right?.cpuCenti);
  node.memoryMb = least(shape.memoryMb, left?.memoryMb, right?.memoryMb);
  node.storageMb = least(shape.storageMb, left?.storageMb, right?.storageMb);
  node.gpuCount = least(shape.gpuCount, left?.gpuCount, right?.gpuCount);
  return node;
}

function least(own: number, left: number | undefined, right: number | undefined): number {
  const before = left !== undefined && left < own ? left : own;
  return right !== undefined && right < before ? right : before;
}
