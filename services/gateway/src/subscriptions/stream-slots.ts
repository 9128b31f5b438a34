import { GantryError } from '@gantry/kernel/gantry-error';

/** A cap on open WebSockets and event streams: the process stays responsive, and who comes too late is told. */
export class StreamSlots {
  private open = 0;

  constructor(private readonly capacity: number) {}

  /** Answers the release; calling that twice is harmless. */
  take(): () => void {
    if (this.open >= this.capacity) {
      throw new GantryError(
        'LIMIT.STREAMS',
        'unavailable',
        'Too many live connections are open. Try again in a moment, or raise GANTRY_MAX_STREAMS.',
      );
    }
    this.open += 1;
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      this.open -= 1;
    };
  }

  get used(): number {
    return this.open;
  }
}
