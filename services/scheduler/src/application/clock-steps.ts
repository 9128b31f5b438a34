import type { Clock } from '@gantry/kernel/clock';

/** Below this it may be rounding; it adds up until it is worth a correction. */
const LEAST_STEP_MS = 100;

/** Notices when the time of day is set, by comparing it with a clock that nobody can set. */
export class ClockSteps {
  private offset: number;

  constructor(
    private readonly clock: Clock,
    /** Milliseconds on a monotonic clock. */
    private readonly monotonic: () => number,
  ) {
    this.offset = this.read();
  }

  /** How far the time of day was set forward (negative: back) since this was last asked, milliseconds. */
  take(): number {
    const step = this.read() - this.offset;
    if (Math.abs(step) < LEAST_STEP_MS) return 0;
    this.offset += step;
    return step;
  }

  private read(): number {
    return this.clock.now() - this.monotonic();
  }
}
