import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { ControlGroups } from './control-groups.js';
import { KEEPER_VERSION, keeperFiles, type KeeperOrders, type KeeperSign } from './keeper-orders.js';
import { LeaseKeeper } from './lease-keeper.js';
import { identityOf, isAlive } from './process-identity.js';

/**
 * The lease keeper's process: `node lease-keeper.main.js <folder> <milliseconds between looks>`. Imports nothing but Node, so that
 * it is small and has little that can fail.
 */
const SIGN_EVERY_MS = 1_000;

const [folder = '.', interval = '250'] = process.argv.slice(2);
const ordersFile = join(folder, keeperFiles.orders);
const signFile = join(folder, keeperFiles.sign);
const now = (): number => Number(process.hrtime.bigint()) / 1_000_000;
const self = identityOf(process.pid) ?? { pid: process.pid, startTicks: 0 };

const tolerating = (act: () => void): void => {
  try {
    act();
  } catch {
    return;
  }
};
// It must be on time on a machine that is short of cores, and be there on one that is short of memory.
tolerating(() => setPriority(-10));
tolerating(() => writeFileSync('/proc/self/oom_score_adj', '-900'));

function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

let signedAt = Number.NEGATIVE_INFINITY;
function sign(): void {
  if (now() - signedAt < SIGN_EVERY_MS) return;
  signedAt = now();
  const text: KeeperSign = { ...self, version: KEEPER_VERSION, at: signedAt };
  tolerating(() => {
    writeFileSync(`${signFile}.${self.pid}`, JSON.stringify(text), { mode: 0o600 });
    renameSync(`${signFile}.${self.pid}`, signFile);
  });
}

const keeper = new LeaseKeeper({
  readOrders: () => {
    const orders = readJson<KeeperOrders>(ordersFile);
    return orders?.version === KEEPER_VERSION ? orders : undefined;
  },
  groups: ControlGroups.ofThisMachine(),
  isAlive: (identity) => isAlive(identity),
  mark: (file) => tolerating(() => writeFileSync(file, '', { mode: 0o600 })),
  now,
});

function turn(): void {
  const newest = readJson<KeeperSign>(signFile);
  // A younger one was started in its place.
  if (newest !== undefined && newest.startTicks > self.startTicks && isAlive(newest)) process.exit(0);
  sign();
  let needed = true;
  // An error of one look (no file handle is left on the machine) must not be the last look.
  tolerating(() => {
    needed = keeper.look();
  });
  if (needed) {
    setTimeout(turn, Number(interval));
    return;
  }
  // Left behind only if an agent begins at this very moment; it looks after its keeper and writes its orders again.
  tolerating(() => rmSync(folder, { recursive: true, force: true }));
  process.exit(0);
}
turn();
