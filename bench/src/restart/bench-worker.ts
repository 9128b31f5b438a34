import { subjects } from '@gantry/contracts/messaging/streams';
import { publishJson } from '@gantry/jetstream/publisher';
import type { NatsConnection } from '@nats-io/transport-node';

/** Heartbeats of a machine with room for one task. */
export class BenchWorker {
  readonly firstAssignment: Promise<void>;
  private sequence = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly nc: NatsConnection,
    private readonly workerId: string,
  ) {
    this.firstAssignment = new Promise((resolve) => {
      const subscription = nc.subscribe(subjects.assign(workerId), {
        callback: (_error, message) => {
          if (!message.string().includes('"TaskAssigned"')) return;
          subscription.unsubscribe();
          resolve();
        },
      });
    });
    this.timer = setInterval(() => void this.beat(), 1_000);
    void this.beat();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.beat(true);
  }

  private async beat(leaving = false): Promise<void> {
    this.sequence += 1;
    const now = Date.now();
    await publishJson(this.nc, subjects.fleet(this.workerId), {
      workerId: this.workerId,
      session: 'bench',
      sequence: this.sequence,
      sentAt: now,
      startedAt: now,
      spec: {
        name: this.workerId,
        hostname: 'bench',
        address: '127.0.0.1',
        os: 'linux',
        agentVersion: '0',
        runtime: 'docker',
        runtimeVersion: '0',
        capacity: { cpu: 4, memoryMb: 8_192, storageMb: 4_096 },
        gpus: [],
        labels: {},
        queues: [],
        images: [],
        maxTasks: 1,
      },
      usage: { cpuPercent: 0, memoryUsedMb: 0, storageUsedMb: 0, load1: 0 },
      running: [],
      assignSequence: 0,
      counters: { completed: 0, failed: 0 },
      leaving,
    });
  }
}
