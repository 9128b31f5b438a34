import { backOff, pause } from '@gantry/jetstream/pause';
import type { Logger } from '@gantry/nest-platform/logger';
import type { ContainerRuntime } from '../runtime/container-runtime.port.js';
import type { LogPipeline } from './log-pipeline.js';

const LONGEST_PAUSE_MS = 5_000;

interface AttemptLogParts {
  readonly runtime: Pick<ContainerRuntime, 'followLogs'>;
  readonly logger: Pick<Logger, 'error'>;
  readonly signal: AbortSignal;
  open(): Promise<LogPipeline>;
}

/**
 * What an attempt prints and what the agent says of it. An attempt ends whatever becomes of its log: what cannot be read is said there,
 * and counts as read.
 */
export class AttemptLog {
  private opened: Promise<LogPipeline> | undefined;
  private reading: Promise<void> | undefined;

  constructor(private readonly parts: AttemptLogParts) {}

  /** Resolves when the container has ended and all was read that can be, or when the signal aborts. Read once, however often asked. */
  read(containerId: string): Promise<void> {
    // Not again after a failure: the reader has tried for long enough, and lines on their way to the stream would come twice.
    this.reading ??= this.readToEnd(containerId);
    return this.reading;
  }

  /** Newest line of stderr. */
  async lastErrorLine(): Promise<string | undefined> {
    return (await this.open()).lastErrorLine;
  }

  async system(text: string): Promise<void> {
    await (await this.open()).system(text);
  }

  /** Says it once, also if it is asked to again. */
  async mark(text: string): Promise<void> {
    await (await this.open()).mark(text);
  }

  async end(): Promise<void> {
    await (await this.open()).end();
  }

  private async readToEnd(containerId: string): Promise<void> {
    const { runtime, logger, signal } = this.parts;
    try {
      const log = await this.open();
      await runtime.followLogs(containerId, log.startCursor, log, signal).catch(async (error: unknown) => {
        if (signal.aborted) return;
        logger.error({ err: error }, 'log could not be read');
        const reason = (error as Error).message;
        await log.lose(`The rest of what the task printed could not be read and is lost: ${reason}`);
      });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Rejects only when the signal has aborted. */
  private open(): Promise<LogPipeline> {
    this.opened ??= this.openPatiently();
    return this.opened;
  }

  private async openPatiently(): Promise<LogPipeline> {
    const { logger, signal } = this.parts;
    for (let failures = 0; ; failures += 1) {
      try {
        return await this.parts.open();
      } catch (error) {
        if (signal.aborted) throw error;
        logger.error({ err: error }, 'log could not be opened yet');
        await pause(backOff(failures, 250, LONGEST_PAUSE_MS), signal);
      }
    }
  }
}
