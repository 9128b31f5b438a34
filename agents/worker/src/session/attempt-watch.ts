import type { TaskSpec } from '@gantry/contracts/tasks/task-spec';
import { timing } from '@gantry/contracts/messaging/timing';
import type { Ending } from '../domain/attempt.state.js';
import type { BootClock } from './boot-clock.js';
import { occupiedBytes } from './output-walk.js';

const STORAGE_EVERY_MS = 5_000;
/** Timers of Node hold 31 bits; longer waits go in steps. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const MEBIBYTE = 1024 * 1024;

/** The time and storage limits of a running attempt. */
export class AttemptWatch {
  private limit: NodeJS.Timeout | undefined;
  private storage: NodeJS.Timeout | undefined;
  private grace: NodeJS.Timeout | undefined;
  private measuring = false;

  constructor(
    private readonly spec: TaskSpec,
    private readonly outputFolder: string,
    private readonly bootClock: Pick<BootClock, 'now'>,
    private readonly onLimit: (ending: Ending) => void,
  ) {}

  /** `ranMs`: for how long it has run already. */
  start(ranMs: number): void {
    clearTimeout(this.limit);
    clearInterval(this.storage);
    this.armLimit(this.bootClock.now() - ranMs + this.spec.timeoutSeconds * 1_000);
    this.storage = setInterval(() => void this.measure(), STORAGE_EVERY_MS);
  }

  afterGrace(graceMs: number, then: () => void): void {
    clearTimeout(this.grace);
    this.grace = setTimeout(then, graceMs);
  }

  stop(): void {
    clearTimeout(this.limit);
    clearInterval(this.storage);
    clearTimeout(this.grace);
  }

  private armLimit(deadline: number): void {
    const left = deadline - this.bootClock.now();
    this.limit = setTimeout(
      () => {
        if (this.bootClock.now() < deadline) this.armLimit(deadline);
        else
          this.onLimit({
            cause: 'timed_out',
            limitSeconds: this.spec.timeoutSeconds,
            graceMs: timing.defaultCancelGraceMs,
          });
      },
      Math.min(Math.max(0, left), LONGEST_TIMER_MS),
    );
  }

  private async measure(): Promise<void> {
    if (this.measuring) return;
    this.measuring = true;
    const usedMb = Math.ceil((await occupiedBytes(this.outputFolder)) / MEBIBYTE);
    this.measuring = false;
    const limitMb = this.spec.resources.storageMb;
    if (usedMb > limitMb)
      this.onLimit({ cause: 'out_of_storage', limitMb, usedMb, graceMs: timing.defaultCancelGraceMs });
  }
}
