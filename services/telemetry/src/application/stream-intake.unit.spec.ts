import { ManualClock } from '@gantry/kernel/clock';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import { describe, expect, it } from 'vitest';
import { messageOf } from '../testing/stream-messages.js';
import { AppliedPositions } from './applied-positions.js';
import { StreamIntake } from './stream-intake.js';

class Positions extends AppliedPositions {
  noted = 0;

  constructor() {
    super({ use: () => Promise.reject(new Error('not used')) });
  }

  override note(_stream: string, sequence: number): void {
    this.noted = Math.max(this.noted, sequence);
  }
}

/** Stores a batch when it is told to. */
class SlowStore {
  private readonly ends: (() => void)[] = [];

  apply(): Promise<void> {
    return new Promise((resolve) => this.ends.push(resolve));
  }

  finish(batch: number): void {
    this.ends[batch]?.();
  }
}

const batch = (...sequences: number[]): StreamMessage[] =>
  sequences.map((sequence) => messageOf('metrics.w1', sequence, {}));

describe('StreamIntake', () => {
  it('claims nothing beyond a batch that is still being stored', async () => {
    const [positions, store] = [new Positions(), new SlowStore()];
    const intake = new StreamIntake('METRICS', [store], positions, { applied: () => undefined }, new ManualClock(0));
    const first = intake.take(batch(1, 2, 3));
    const second = intake.take(batch(4, 5));
    store.finish(1);
    await second;
    expect(positions.noted).toBe(0);
    store.finish(0);
    await first;
    expect(positions.noted).toBe(5);
  });
});
