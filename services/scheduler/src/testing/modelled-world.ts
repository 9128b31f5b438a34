import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import type { Heartbeat } from '@gantry/contracts/agents/heartbeat';
import { lossAfterMs } from '@gantry/contracts/messaging/lease-timing';
import { waitingTasks, type AssignEvent } from '@gantry/contracts/scheduling/assign-events';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import type { Cluster } from '../domain/cluster/cluster.js';
import type { Revocation } from '../domain/cluster/task-entry.js';
import { History, newCluster, testTiming } from './histories.js';
import { ModelledAgent, type ModelledReport } from './modelled-agent.js';

interface ModelledTask {
  attempt: number;
  /** Who has the attempt, as far as TASKS knows. */
  workerId: string | undefined;
  cancelRequested: boolean;
  ended: 'succeeded' | 'cancelled' | undefined;
}

const timing = { ...testTiming, lossAfterMs };

/**
 * The scheduler's real `Cluster` between small models of the streams, the tasks service and the agents. Every message waits in its
 * stream until a step delivers it, so steps in any order are any interleaving that the broker allows.
 */
export class ModelledWorld {
  now = 1_000;
  cluster: Cluster = newCluster(timing);
  readonly tasks = new Map<string, ModelledTask>();
  readonly agents = ['w0', 'w1', 'w2'].map((id) => new ModelledAgent(id, timing.leaseMs));
  private readonly history = new History();
  private readonly taskStream: StoredCommit<TaskEvent>[] = [];
  private readonly assignStream: StoredCommit<AssignEvent>[] = [];
  private readonly newestBeats = new Map<string, { beat: Heartbeat; at: number }>();
  private readonly losses: { taskId: string; attempt: number; workerId: string }[] = [];
  private onItsWay: { workerId: string; event: AssignEvent }[] = [];
  private taskRead = 0;
  private assignRead = 0;
  private recordRead = 0;
  private submitted = 0;

  submit(cpu: number): void {
    const id = `t${this.submitted}`;
    this.submitted += 1;
    this.tasks.set(id, { attempt: 1, workerId: undefined, cancelRequested: false, ended: undefined });
    const resources = { cpu, memoryMb: 64, storageMb: 0, gpu: { count: 0 } };
    this.taskStream.push(this.history.submitted(id, { resources }));
  }

  pass(milliseconds: number): void {
    this.now += milliseconds;
    for (const agent of this.agents) agent.passTo(this.now);
  }

  beat(agent: ModelledAgent): void {
    const beat = agent.beat(this.now);
    if (beat !== undefined) this.newestBeats.set(agent.workerId, { beat, at: this.now });
  }

  /** The scheduler hears the newest stored heartbeat of a worker. */
  hear(workerId: string): void {
    const stored = this.newestBeats.get(workerId);
    if (stored === undefined) return;
    for (const stray of this.cluster.observeHeartbeat(stored.beat, stored.at, this.now).strays) this.revoke(stray);
  }

  /** `again`: so many commits that it knows are shown once more before. */
  showTasks(count: number, again = 0): void {
    for (const stored of this.taskStream.slice(Math.max(0, this.taskRead - again), this.taskRead + count))
      this.cluster.board.applyTaskCommit(stored, this.now);
    this.taskRead = Math.min(this.taskStream.length, this.taskRead + count);
  }

  showAssignments(count: number, again = 0): void {
    for (const stored of this.assignStream.slice(Math.max(0, this.assignRead - again), this.assignRead + count))
      this.cluster.board.applyAssignCommit(stored);
    this.assignRead = Math.min(this.assignStream.length, this.assignRead + count);
  }

  /** A pass of the loop; what it decides is on its way to the broker until `arrive`. */
  decide(): void {
    const { board } = this.cluster;
    for (const { taskId, attempt } of board.recalls.takeWithdrawals(this.now))
      this.send(waitingTasks, { type: 'TaskWithdrawn', data: { taskId, attempt, withdrawnAt: this.now } });
    for (const revocation of board.recalls.takeRevocations()) this.revoke(revocation);
    for (const data of this.cluster.decide(this.now, 100)) this.send(data.workerId, { type: 'TaskAssigned', data });
  }

  /** The broker takes what is on its way, oldest first; to every `refusedEvery`-th it says no (0: to none). */
  arrive(count: number, refusedEvery = 0): void {
    const { board } = this.cluster;
    this.onItsWay.splice(0, count).forEach(({ workerId, event }, index) => {
      if (refusedEvery === 0 || index % refusedEvery !== 0) this.write(workerId, event);
      else if (event.type === 'TaskAssigned') board.refuse(event.data.taskId, event.data.attempt);
      else if (event.type === 'TaskWithdrawn') board.recalls.retryWithdrawal(event.data.taskId);
      else if (event.type === 'AssignmentRevoked') board.recalls.retryRevocation({ workerId, ...event.data });
    });
  }

  /** Losses are announced after the newest heartbeat was asked for. */
  sweep(): void {
    for (const loss of this.cluster.findLosses(this.now)) {
      this.hear(loss.workerId);
      if (!this.cluster.isStillLost(loss, this.now) && loss.leaseOver) continue;
      this.losses.push(...loss.tasks.map((task) => ({ ...task, workerId: loss.workerId })));
      this.cluster.markReported(loss, this.now);
    }
  }

  /**
   * Another scheduler takes over: it has fenced the subjects, so what was on its way is refused, and knows the streams and the newest
   * heartbeats; every lease counts from now.
   */
  takeOver(): void {
    this.onItsWay = [];
    this.cluster = newCluster(timing);
    [this.taskRead, this.assignRead] = [0, 0];
    this.showTasks(Infinity);
    this.showAssignments(Infinity);
    for (const { workerId } of this.agents) this.hear(workerId);
    this.cluster.fleet.listen(this.now);
    this.cluster.board.refuseUnstored();
  }

  /** The same scheduler loses its leadership right after a pass, and leads again: what was on its way is gone, and nobody told it. */
  leadAgain(): void {
    this.decide();
    this.onItsWay = [];
    this.showAssignments(Infinity);
    this.cluster.board.refuseUnstored();
  }

  /** One that runs, if there is any. */
  cancelRunning(agent: ModelledAgent): void {
    const [taskId] = agent.running.keys();
    if (taskId !== undefined) this.requestCancel(taskId);
  }

  requestCancel(taskId: string): void {
    const task = this.tasks.get(taskId);
    if (task === undefined || task.ended !== undefined || task.cancelRequested) return;
    task.cancelRequested = true;
    const requested: TaskEvent = { type: 'TaskCancelRequested', data: { requestedBy: 'u', graceMs: 1, at: this.now } };
    this.store(taskId, requested);
  }

  /** The tasks service takes in what the scheduler wrote. */
  recordAssignments(count: number): void {
    for (const { commit } of this.assignStream.slice(this.recordRead, this.recordRead + count)) {
      for (const event of commit.events) {
        if (event.type !== 'TaskAssigned' && event.type !== 'TaskWithdrawn') continue;
        const { taskId, attempt } = event.data;
        const task = this.tasks.get(taskId)!;
        if (task.ended !== undefined || task.attempt !== attempt || task.workerId !== undefined) continue;
        if (event.type === 'TaskWithdrawn') {
          if (task.cancelRequested) this.close(taskId, task, 'cancelled');
          continue;
        }
        const { workerId } = event.data;
        task.workerId = workerId;
        this.taskStream.push(this.history.recorded(taskId, workerId, attempt));
      }
    }
    this.recordRead = Math.min(this.assignStream.length, this.recordRead + count);
  }

  recordLosses(): void {
    for (const { taskId, attempt, workerId } of this.losses.splice(0)) {
      const task = this.tasks.get(taskId)!;
      if (task.workerId === workerId) this.failed(taskId, attempt);
    }
  }

  recordReports(agent: ModelledAgent): void {
    if (!agent.connected) return;
    // Reports wait for the assignment that they are about.
    this.recordAssignments(Infinity);
    for (const report of agent.reports.splice(0)) this.record(report);
  }

  /** Everybody connected and at work, but no task ends by itself: what a cancellation does not reach now it will never reach. */
  reachCancelled(): void {
    for (const agent of this.agents) agent.connected = true;
    const isOpen = ({ cancelRequested, ended }: ModelledTask) => cancelRequested && ended === undefined;
    for (let round = 0; round < 12 && [...this.tasks.values()].some(isOpen); round += 1) {
      this.pass(5_000);
      this.agentsLive();
      this.schedulerWorks();
    }
  }

  /** Streams to their end, agents connected, everything read: what is not done then will never be. */
  settle(): void {
    for (const agent of this.agents) agent.connected = true;
    for (let round = 0; round < 60 && !this.isQuiet; round += 1) {
      this.pass(5_000);
      this.agentsLive();
      for (const agent of this.agents) for (const taskId of [...agent.running.keys()]) agent.end(taskId, 'succeeded');
      this.schedulerWorks();
    }
  }

  private get isQuiet(): boolean {
    const ended = [...this.tasks.values()].every((task) => task.ended !== undefined);
    return ended && this.cluster.board.size === 0 && this.agents.every(({ running }) => running.size === 0);
  }

  /** What agents do all the time, if they are connected. */
  agentsLive(): void {
    for (const agent of this.agents) {
      this.beat(agent);
      agent.read(this.now);
      this.recordReports(agent);
      this.hear(agent.workerId);
    }
  }

  schedulerWorks(): void {
    this.recordAssignments(Infinity);
    this.showTasks(Infinity);
    this.showAssignments(Infinity);
    this.sweep();
    this.recordLosses();
    this.showTasks(Infinity);
    this.decide();
    this.arrive(Infinity);
  }

  private record({ taskId, attempt, workerId, end }: ModelledReport): void {
    const task = this.tasks.get(taskId)!;
    if (task.ended !== undefined || task.attempt !== attempt || task.workerId !== workerId) return;
    if (end === 'succeeded') this.close(taskId, task, 'succeeded');
    else this.failed(taskId, attempt);
  }

  private failed(taskId: string, attempt: number): void {
    const task = this.tasks.get(taskId)!;
    if (task.ended !== undefined || task.attempt !== attempt) return;
    if (task.cancelRequested) {
      this.close(taskId, task, 'cancelled');
      return;
    }
    // The first failure backs off, so that cancellations, take-overs and late news meet tasks that wait for their time, too.
    this.taskStream.push(this.history.requeued(taskId, attempt, attempt === 1 ? this.now + 3_000 : 0));
    task.attempt += 1;
    task.workerId = undefined;
  }

  private close(taskId: string, task: ModelledTask, how: 'succeeded' | 'cancelled'): void {
    const { attempt } = task;
    task.ended = how;
    this.store(
      taskId,
      how === 'succeeded'
        ? { type: 'TaskSucceeded', data: { attempt, exitCode: 0, finishedAt: this.now } }
        : { type: 'TaskCancelled', data: { attempt, finishedAt: this.now } },
    );
  }

  private store(taskId: string, ...events: TaskEvent[]): void {
    this.taskStream.push(this.history.task(taskId, ...events));
  }

  private revoke({ workerId, ...rest }: Revocation): void {
    this.send(workerId, { type: 'AssignmentRevoked', data: { ...rest, revokedAt: this.now } });
  }

  private send(workerId: string, event: AssignEvent): void {
    this.onItsWay.push({ workerId, event });
  }

  private write(workerId: string, event: AssignEvent): void {
    const stored = this.history.assign(workerId, event);
    this.assignStream.push(stored);
    this.agents.find((agent) => agent.workerId === workerId)?.deliver(stored);
    // The process that wrote knows it at once; the stream shows it once more.
    this.cluster.board.applyAssignCommit(stored);
  }
}
