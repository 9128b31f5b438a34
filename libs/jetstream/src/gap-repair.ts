import type { Logger } from '@gantry/nest-platform/logger';
import { backOff, pause } from './pause.js';

export interface GapRepairOptions {
  readonly logger: Pick<Logger, 'warn'>;
  readonly signal: AbortSignal;
  /** Puts right what a reader has missed; what it did not know of when it was called is put right by another call. */
  repair(): Promise<void>;
  /** At each gap. */
  onGap?(): void;
  /** When all gaps up to now are repaired. */
  onRepaired?(): void;
}

/** Who has missed much meets one gap after the other. */
const GATHER_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * What ended long ago leaves a stream that is read into memory. A reader that was away for longer than it stays, or reads more slowly than
 * it leaves, meets gaps instead (`onGap` of `followStream`), and has to find out in another way what it has missed.
 */
export class GapRepair {
  private due = false;
  private started = false;
  private repairing: Promise<void> | undefined;

  constructor(private readonly options: GapRepairOptions) {}

  noticed(): void {
    this.due = true;
    this.options.onGap?.();
    if (this.started) void this.go();
  }

  /** When the stream was read to its end for the first time; resolves when nothing is missed any more. */
  async start(): Promise<void> {
    this.started = true;
    if (this.due) await this.go();
  }

  private go(): Promise<void> {
    this.repairing ??= this.untilRepaired().finally(() => {
      this.repairing = undefined;
    });
    return this.repairing;
  }

  private async untilRepaired(): Promise<void> {
    const { logger, signal } = this.options;
    let failures = 0;
    while (this.due) {
      await pause(backOff(failures, GATHER_MS, LONGEST_PAUSE_MS), signal);
      if (signal.aborted) return;
      this.due = false;
      try {
        await this.options.repair();
      } catch (error) {
        this.due = true;
        failures += 1;
        logger.warn({ err: error }, 'what was missed in a gap is not known yet, trying again');
      }
    }
    this.options.onRepaired?.();
  }
}
