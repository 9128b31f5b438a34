import fs from 'node:fs';
import path from 'node:path';

export const breakages = ['fencing', 'late-start', 'keeper'] as const;
export type Breakage = (typeof breakages)[number];

interface Mutation {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const deafKeeper: Mutation = {
  file: 'keeper/lease-keeper.js',
  find: '=> now >= renewedAt + killAfterMs',
  replace: '$& && false',
};

/** What the checker must notice. Done to a copy of the compiled agent: the product has no switch for it. */
const mutations: Readonly<Record<Breakage, readonly Mutation[]>> = {
  /** No lease is ever over, for the agent and for its keeper: an agent that is cut off runs on what others have been given. */
  fencing: [
    {
      file: 'domain/lease.js',
      find: 'export function checkLease(renewedAt, now, leaseMs, patient = false) {',
      replace: '$& return { over: false, graceMs: 0 };',
    },
    deafKeeper,
  ],
  /** No assignment is ever too old and no lease too late: an agent that was cut off starts what others have been given. */
  'late-start': [
    {
      file: 'domain/lease.js',
      find: 'export function mayBeGivenUp({ unreadMs, longestGapMs }, leaseMs) {',
      replace: '$& return false;',
    },
    {
      file: 'domain/lease.js',
      find: 'export function isTooLateToStart(renewedAt, now, leaseMs) {',
      replace: '$& return false;',
    },
  ],
  /** The keeper ends nothing: what an agent started runs on while the agent is frozen. */
  keeper: [deafKeeper],
};

/** Copies the compiled agent to `folder` with one thing broken; gives its main file. */
export function breakAgent(root: string, folder: string, breakage: Breakage): string {
  const agent = path.join(root, 'agents/worker');
  const copy = path.join(folder, 'broken-agent');
  fs.mkdirSync(copy);
  fs.cpSync(path.join(agent, 'dist'), path.join(copy, 'dist'), { recursive: true });
  fs.copyFileSync(path.join(agent, 'package.json'), path.join(copy, 'package.json'));
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
  for (const { file, find, replace } of mutations[breakage]) {
    const target = path.join(copy, 'dist', file);
    const parts = fs.readFileSync(target, 'utf8').split(find);
    // A mutation that no longer applies would make a run that proves nothing.
    if (parts.length !== 2)
      throw new Error(
        `"${find}" occurs ${parts.length - 1} times in ${file}; change the mutation "${breakage}" to fit.`,
      );
    fs.writeFileSync(target, parts.join(replace.replace('$&', find)));
  }
  return path.join(copy, 'dist/main.js');
}
