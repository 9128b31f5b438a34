import type { GpuSample, HostSample, MetricBatch, TaskSample } from '@gantry/contracts/agents/metric-batch';
import { subjects } from '@gantry/contracts/messaging/streams';
import { jetStreamOf } from '@gantry/jetstream/publisher';
import type { Logger } from '@gantry/nest-platform/logger';
import type { NatsConnection } from '@nats-io/transport-node';

const ACK_TIMEOUT_MS = 3_000;
/** Samples kept while the broker is away; the oldest go first, and the log says so. */
const MAX_WAITING = 4_000;
/** Samples per message: about 300 KB. */
const MAX_PER_BATCH = 1_000;
const encoder = new TextEncoder();

interface Samples {
  gpus: GpuSample[];
  host: HostSample[];
  tasks: TaskSample[];
}

interface Outgoing {
  readonly msgID: string;
  readonly payload: Uint8Array;
}

/** Publishes samples in order. A batch that was not acknowledged is repeated as it was, so that the broker knows it again. */
export class MetricsPublisher {
  private sequence = 0;
  private waiting: Samples[] = [];
  private outgoing: Outgoing | undefined;
  private sending = false;

  constructor(
    private readonly nc: NatsConnection,
    private readonly workerId: string,
    private readonly session: string,
    private readonly logger: Logger,
  ) {}

  async publish(samples: Samples): Promise<void> {
    this.waiting.push(samples);
    this.trim();
    if (this.sending) return;
    this.sending = true;
    try {
      for (;;) {
        this.outgoing ??= this.nextBatch();
        if (this.outgoing === undefined) return;
        const { msgID, payload } = this.outgoing;
        await jetStreamOf(this.nc).publish(subjects.metrics(this.workerId), payload, {
          msgID,
          timeout: ACK_TIMEOUT_MS,
        });
        this.outgoing = undefined;
      }
    } catch {
      // The broker is away; the samples wait for the next round.
    } finally {
      this.sending = false;
    }
  }

  private nextBatch(): Outgoing | undefined {
    if (this.waiting.length === 0) return undefined;
    let count = 0;
    let length = 0;
    for (const samples of this.waiting) {
      count += sizeOf(samples);
      if (length > 0 && count > MAX_PER_BATCH) break;
      length += 1;
    }
    const taken = this.waiting.splice(0, length);
    this.sequence += 1;
    const batch: MetricBatch = {
      workerId: this.workerId,
      session: this.session,
      sequence: this.sequence,
      gpus: taken.flatMap(({ gpus }) => gpus),
      host: taken.flatMap(({ host }) => host),
      tasks: taken.flatMap(({ tasks }) => tasks),
    };
    return {
      msgID: `${this.workerId}:${this.session}:${this.sequence}`,
      payload: encoder.encode(JSON.stringify(batch)),
    };
  }

  private trim(): void {
    let count = this.waiting.reduce((sum, samples) => sum + sizeOf(samples), 0);
    while (count > MAX_WAITING && this.waiting.length > 1) {
      const dropped = this.waiting.shift();
      if (dropped === undefined) return;
      count -= sizeOf(dropped);
      this.logger.warn({ samples: sizeOf(dropped) }, 'old samples were dropped');
    }
  }
}

function sizeOf({ gpus, host, tasks }: Samples): number {
  return gpus.length + host.length + tasks.length;
}
