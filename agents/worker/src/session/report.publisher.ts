import type { EarlierReport, Report, ReportBody } from '@gantry/contracts/agents/report';
import { subjects } from '@gantry/contracts/messaging/streams';
import { timing } from '@gantry/contracts/messaging/timing';
import { publishJson } from '@gantry/jetstream/publisher';
import type { Clock } from '@gantry/kernel/clock';
import type { Logger } from '@gantry/nest-platform/logger';
import type { NatsConnection } from '@nats-io/transport-node';

interface AttemptRef {
  readonly taskId: string;
  readonly attempt: number;
}

export interface AttemptReports {
  /** Resolves when the stream has it; rejects only if the signal aborts or the broker refuses it for good. */
  send(of: AttemptRef, report: ReportBody, discriminator: string, signal: AbortSignal): Promise<void>;
}

type Said = Pick<Report, 'id' | 'at' | 'report'>;
type Start = Said & EarlierReport;

/** Reports of one attempt that are still to be sent, oldest first. */
interface Lingering {
  readonly of: AttemptRef;
  readonly held: Start[];
  readonly signal: AbortSignal;
  readonly timer: NodeJS.Timeout;
  readonly stored: Promise<void>;
  readonly resolve: (stored: Promise<void>) => void;
}

/**
 * Publishes reports; each message is repeated under the same id until the broker has it. Nobody acts on the news of a start, so
 * it waits a moment for more: a task that ends at once is one message, and one commit, instead of three.
 */
export class ReportPublisher implements AttemptReports {
  private readonly lingering = new Map<string, Lingering>();

  constructor(
    private readonly nc: NatsConnection,
    private readonly workerId: string,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  send(of: AttemptRef, report: ReportBody, discriminator: string, signal: AbortSignal): Promise<void> {
    const key = `${of.taskId}:${of.attempt}`;
    const said = { id: `${key}:${discriminator}`, at: this.clock.now() };
    if (report.type === 'accepted' || report.type === 'started')
      return this.linger(key, of, { ...said, report }, signal);
    const last = { ...said, report };
    const waiting = this.take(key);
    if (waiting === undefined) return this.publish(of, last, [], signal);
    if (report.type !== 'exited') {
      // It may be given up before the broker has it; those before it may not.
      this.flush(waiting);
      return this.publish(of, last, [], signal);
    }
    const stored = this.publish(of, last, waiting.held, signal);
    waiting.resolve(stored);
    return stored;
  }

  private linger(key: string, of: AttemptRef, held: Start, signal: AbortSignal): Promise<void> {
    const known = this.lingering.get(key);
    if (known !== undefined) {
      known.held.push(held);
      return known.stored;
    }
    const timer = setTimeout(() => {
      const due = this.take(key);
      if (due !== undefined) this.flush(due);
    }, timing.reportLingerMs);
    let resolve: Lingering['resolve'] = () => undefined;
    const stored = new Promise<void>((settle) => {
      resolve = settle;
    });
    this.lingering.set(key, { of, held: [held], signal, timer, stored, resolve });
    return stored;
  }

  private take(key: string): Lingering | undefined {
    const waiting = this.lingering.get(key);
    if (waiting === undefined) return undefined;
    clearTimeout(waiting.timer);
    this.lingering.delete(key);
    return waiting;
  }

  private flush({ of, held, signal, resolve }: Lingering): void {
    const last = held.at(-1);
    if (last !== undefined) resolve(this.publish(of, last, held.slice(0, -1), signal));
  }

  private async publish(
    { taskId, attempt }: AttemptRef,
    last: Said,
    start: readonly Start[],
    signal: AbortSignal,
  ): Promise<void> {
    const earlier = start.map(({ at, report }) => ({ at, report }));
    const { workerId } = this;
    const message: Report = { ...last, workerId, taskId, attempt, ...(earlier.length === 0 ? {} : { earlier }) };
    await publishJson(this.nc, subjects.report(workerId, taskId), message, { msgId: message.id, signal });
    this.logger.debug({ taskId, attempt, report: last.report.type }, 'report stored');
  }
}
