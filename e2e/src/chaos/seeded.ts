import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A source of chance that gives the same answers in the same order for the same seed. */
export interface Seeded {
  /** A whole number, both ends included. */
  between(low: number, high: number): number;
  oneOf<T>(choices: readonly T[]): T;
  /** One of the choices, each as often as its weight says. */
  weighted<T extends { readonly weight: number }>(choices: readonly T[]): T;
  /** Time until the next of events that come at random, `mean` apart: steps of a Poisson process. */
  wait(mean: number): number;
}

const FINE = 1_000_000;

export function seeded(seed: number): Seeded {
  const generator = xoroshiro128plus(seed);
  const between = (low: number, high: number): number => uniformInt(generator, low, high);
  return {
    between,
    oneOf: (choices) => {
      const choice = choices[between(0, choices.length - 1)];
      if (choice === undefined) throw new Error('There is nothing to choose from.');
      return choice;
    },
    weighted: (choices) => {
      const total = choices.reduce((sum, { weight }) => sum + weight, 0);
      let left = between(0, total - 1);
      for (const choice of choices) {
        left -= choice.weight;
        if (left < 0) return choice;
      }
      throw new Error('The choices have no weight.');
    },
    wait: (mean) => Math.round(-Math.log(between(1, FINE) / FINE) * mean),
  };
}
