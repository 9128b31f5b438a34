import type { StreamMessage } from '@gantry/jetstream/stream-message';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { Logger } from '@gantry/nest-platform/logger';
import type { AppliedPositions } from './applied-positions.js';
import type { StreamIntake } from './stream-intake.js';

const BATCH_MESSAGES = 500;
const BATCH_BYTES = 8 * 1024 * 1024;

/** What the replay needs of the broker. */
export interface ReplaySource {
  /**
   * Newest sequence that our consumer was given; 0 = none. What lies after it will come by itself. (Its last confirmed one
   * would not do: confirmations may lie beyond a message that is still open.)
   */
  deliveredSequence(stream: string): Promise<number>;
  /** Messages from `from` to `to` that the stream still has, in order. */
  read(stream: string, from: number, to: number, onMessage: (message: StreamMessage) => Promise<void>): Promise<void>;
}

/**
 * Fills what ClickHouse lacks of the streams: all of it after its data was deleted, the newest part after an older backup
 * was restored. The live consumers go on beside it; both use the same idempotent projections.
 */
export class ReplayMissed {
  constructor(
    private readonly source: ReplaySource,
    private readonly positions: AppliedPositions,
    private readonly intakes: readonly StreamIntake[],
    private readonly logger: Logger,
  ) {}

  /** `fromStart`: whatever ClickHouse says it has. */
  async run(fromStart: boolean): Promise<void> {
    for (const intake of this.intakes) {
      intake.reset();
      this.positions.markIncomplete(intake.stream);
    }
    const applied = fromStart ? new Map<string, number>() : await this.positions.read();
    for (const intake of this.intakes) {
      await this.replay(intake, applied.get(intake.stream) ?? 0);
      this.positions.markWhole(intake.stream);
    }
  }

  private async replay(intake: StreamIntake, applied: number): Promise<void> {
    const delivered = await this.source.deliveredSequence(intake.stream);
    if (delivered <= applied) return;
    this.logger.info(
      { stream: intake.stream, from: applied + 1, to: delivered },
      'reading the stream again: clickhouse lacks a part of it',
    );
    let batch: StreamMessage[] = [];
    let bytes = 0;
    let count = 0;
    const flush = async () => {
      const full = batch;
      batch = [];
      bytes = 0;
      await this.takeAll(intake, full);
    };
    await this.source.read(intake.stream, applied + 1, delivered, async (message) => {
      batch.push(message);
      bytes += message.bytes.length;
      count += 1;
      if (batch.length >= BATCH_MESSAGES || bytes >= BATCH_BYTES) await flush();
    });
    await flush();
    this.logger.info({ stream: intake.stream, messages: count }, 'clickhouse has the stream again');
  }

  /** What can never be applied went to the dead letters when it came first; the rest must not wait for it. */
  private async takeAll(intake: StreamIntake, messages: readonly StreamMessage[]): Promise<void> {
    try {
      await intake.take(messages);
    } catch (error) {
      if (!(error instanceof GantryError) || error.retryable) throw error;
      if (messages.length > 1) {
        for (const message of messages) await this.takeAll(intake, [message]);
        return;
      }
      this.logger.error(
        { stream: intake.stream, streamSequence: messages[0]?.streamSequence, err: error },
        'message cannot be applied; left out',
      );
    }
  }
}
