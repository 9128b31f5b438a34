import type { PlacementPolicy, PlacementSearch, PolicyName } from './placement-policy.js';
import { FULLNESS_LEVELS } from './worker-index.js';

/**
 * Candidates are compared one by one when they are few, else the levels of the index are walked; the result is the same.
 * Looking at one filled level costs about as much as looking at three candidates (measured).
 */
const FEW = 128;
const CANDIDATES_PER_LEVEL = 3;

function isFew({ candidates, workers }: PlacementSearch): boolean {
  const levels = workers.filledLevels(0).size + workers.filledLevels(1).size;
  return candidates.size <= Math.max(FEW, levels * CANDIDATES_PER_LEVEL);
}

/**
 * A policy that prefers one end of the fullness levels. `rank`: smaller is better; `walk`: the same choice by
 * walking the levels in that order.
 * Among workers of equal rank one that has the image wins, then the one that joined first.
 */
function byFullness(
  name: PolicyName,
  rank: (level: number, tier: 0 | 1, search: PlacementSearch) => number,
  walk: (search: PlacementSearch) => number,
): PlacementPolicy {
  return {
    name,
    choose(search) {
      return isFew(search) ? bestOf(search, rank) : walk(search);
    },
  };
}

function bestOf(
  search: PlacementSearch,
  rank: (level: number, tier: 0 | 1, search: PlacementSearch) => number,
): number {
  const { candidates, workers, imageHolders, accept } = search;
  let best = -1;
  let bestRank = Infinity;
  candidates.find((slot) => {
    // Asked of each, not only of the better ones: what does not fit leaves the set and is not looked at again.
    if (!accept(slot)) return false;
    // Half a step for the image: it decides between equals only.
    const value =
      rank(workers.levelOf(slot), workers.tierOf(slot), search) - (imageHolders?.has(slot) === true ? 0.5 : 0);
    if (value < bestRank) {
      best = slot;
      bestRank = value;
    }
    return false;
  });
  return best;
}

function chooseAtLevel(
  { candidates, imageHolders, accept, workers }: PlacementSearch,
  tier: 0 | 1,
  level: number,
): number {
  const members = workers.level(tier, level);
  if (imageHolders !== undefined) {
    const slot = candidates.findShared(members, imageHolders, accept);
    if (slot >= 0) return slot;
  }
  return candidates.findShared(members, undefined, accept);
}

/**
 * Best fit by dominant share: the fullest worker that still fits. Tasks without GPUs go to machines with GPUs last, so
 * that CPU work does not strand devices.
 */
const binPack = byFullness(
  'bin-pack',
  (level, tier, { shape }) => (shape.gpuCount === 0 ? tier * FULLNESS_LEVELS : 0) + FULLNESS_LEVELS - level,
  (search) => {
    let slot = -1;
    const take = (tier: 0 | 1) =>
      search.workers.filledLevels(tier).findLast((level) => (slot = chooseAtLevel(search, tier, level)) >= 0);
    if (search.shape.gpuCount === 0) take(0);
    if (slot < 0) take(1);
    return slot;
  },
);

/** The emptiest worker that fits: a failing machine takes few tasks with it. */
const spread = byFullness(
  'spread',
  (level, tier) => level * 2 + tier,
  (search) => {
    let slot = -1;
    const [cpuOnly, withGpus] = [search.workers.filledLevels(0), search.workers.filledLevels(1)];
    const takeBoth = (level: number) => {
      if (cpuOnly.has(level)) slot = chooseAtLevel(search, 0, level);
      if (slot < 0 && withGpus.has(level)) slot = chooseAtLevel(search, 1, level);
      return slot >= 0;
    };
    let level = -1;
    do {
      level = nextOf(cpuOnly.find(always, level + 1), withGpus.find(always, level + 1));
    } while (level >= 0 && !takeBoth(level));
    return slot;
  },
);

const always = () => true;

/** The smaller of two positions, where -1 means none. */
function nextOf(a: number, b: number): number {
  if (a < 0 || b < 0) return Math.max(a, b);
  return Math.min(a, b);
}

/** The next worker after the one that the queue used last, in the order in which workers joined. */
const roundRobin: PlacementPolicy = {
  name: 'round-robin',
  choose({ candidates, lastSlot, accept }) {
    const after = candidates.find(accept, lastSlot + 1);
    return after >= 0 || lastSlot < 0 ? after : candidates.find(accept);
  },
};

export const policies: Readonly<Record<PolicyName, PlacementPolicy>> = {
  'bin-pack': binPack,
  spread,
  'round-robin': roundRobin,
};
