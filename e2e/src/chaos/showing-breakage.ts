import type { Breakage } from './broken-agent.js';
import type { ChaosRequest } from './chaos-run.js';

/** The other agent of each runtime stays, so that what the first one lost is placed again while it still runs. */
const cutOneOfEach = { kinds: ['cut'], long: true, hitAgents: ['agent-1', 'agent-3'] } as const;
/** What is broken shows when agents are cut off (or frozen) for longer than the lease, while tasks run that do not yield or while new ones come. */
export const showing: Readonly<Record<Breakage, Partial<ChaosRequest>>> = {
  fencing: { ...cutOneOfEach, taskKinds: ['lasting'], submitWithinMs: 1_000 },
  keeper: { ...cutOneOfEach, kinds: ['freeze'], agentsOnly: true, taskKinds: ['lasting'], submitWithinMs: 1_000 },
  'late-start': { ...cutOneOfEach, taskKinds: ['quick', 'lasting'] },
};
