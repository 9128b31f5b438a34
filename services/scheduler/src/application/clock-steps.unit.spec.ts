import { ManualClock } from '@gantry/kernel/clock';
import { expect, it } from 'vitest';
import { ClockSteps } from './clock-steps.js';

it('tells steps of the time of day from time that passes', () => {
  const clock = new ManualClock();
  let elapsed = 0;
  const steps = new ClockSteps(clock, () => elapsed);
  elapsed += 60_000;
  clock.advance(60_050);
  expect(steps.take()).toBe(0);
  elapsed += 1_000;
  clock.advance(3_601_050);
  expect(steps.take()).toBe(3_600_100);
  expect(steps.take()).toBe(0);
  clock.advance(-3_600_000);
  expect(steps.take()).toBe(-3_600_000);
});
