import fs from 'node:fs';
import os from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { connectNats } from '@gantry/jetstream/connect';
import type { ChaosWorld } from './chaos-world.js';
import { clockOf, keeperOf, type PlannedFault } from './fault-plan.js';
import { keeperPid } from './lease-keepers.js';
import type { DoneFault } from './observations.js';

const BACK_WITHIN_MS = 180_000;

/** Takes the disturbance away again. */
type Heal = () => Promise<void> | void;

/** Does one planned fault to the world, waits its time, and undoes it. Gives when it really began and ended, and the kills it took. */
export async function commitFault(world: ChaosWorld, fault: PlannedFault): Promise<DoneFault[]> {
  const from = os.uptime();
  const kills: DoneFault[] = [];
  const heal = await apply(world, fault, kills);
  if (fault.duration > 0) await pause(fault.duration);
  await heal();
  const { kind, target, how, step } = fault;
  const done: DoneFault = {
    kind,
    target,
    ...(how === undefined ? {} : { how }),
    ...(step === undefined ? {} : { step }),
    ...workerOf(world, target),
    from,
    to: os.uptime(),
  };
  return [done, ...kills];
}

function workerOf(world: ChaosWorld, target: string): { workerId?: string } {
  const workerId = world.agents.find(({ name }) => name === target)?.id;
  return workerId === undefined ? {} : { workerId };
}

async function apply(world: ChaosWorld, fault: PlannedFault, kills: DoneFault[]): Promise<Heal> {
  const { kind, target } = fault;
  switch (kind) {
    case 'kill': {
      const kept = world.agents.find(({ name }) => keeperOf(name) === target);
      return kept === undefined ? kill(world, [target]) : killKeeper(kept.id);
    }
    case 'kill-all':
      return kill(world, world.partNames);
    case 'freeze': {
      // It may be killed while it is frozen; what is started in its place is not.
      const { pid } = world.part(target);
      signal(pid, 'SIGSTOP');
      return () => signal(pid, 'SIGCONT');
    }
    case 'cut':
      world.network.cut(target, fault.how === 'silence' ? 'silence' : 'link');
      return () => world.network.join(target);
    case 'clock':
      return setClock(world, fault, kills);
    case 'fill':
      return fillStream(world, target);
  }
}

/** It is over when all of them serve again: what the checker makes of an absence depends on how long it was. */
function kill(world: ChaosWorld, names: readonly string[]): Heal {
  const alive = names.filter((name) => isAlive(world.part(name).pid));
  const back = Promise.all(alive.map((name) => world.back(name)));
  for (const name of alive) signal(world.part(name).pid, 'SIGKILL');
  return async () => {
    const late = pause(BACK_WITHIN_MS, 'late', { ref: false });
    if ((await Promise.race([back, late])) === 'late')
      throw new Error(`${alive.join(', ')} did not all serve again within ${BACK_WITHIN_MS / 1_000} s after a kill.`);
  };
}

/** `restart`: the part never sees its clock move, neither when it is set nor when it is set right. */
async function setClock(world: ChaosWorld, { target, how, step = 0 }: PlannedFault, kills: DoneFault[]): Promise<Heal> {
  const part = [...world.services, ...world.agents.map(({ name }) => name)].find((name) => clockOf(name) === target);
  if (part === undefined) throw new Error(`There is no ${target}.`);
  const set = async (seconds: number): Promise<void> => {
    const from = os.uptime();
    const restarted = how === 'restart' ? kill(world, [part]) : undefined;
    world.clocks?.set(part, seconds);
    if (restarted === undefined) return;
    await restarted();
    kills.push({ kind: 'kill', target: part, how: 'for its clock', ...workerOf(world, part), from, to: os.uptime() });
  };
  await set(step);
  return () => set(0);
}

/** Its agent starts another one. An agent that is dead or frozen itself does so when it is back. */
function killKeeper(workerId: string): Heal {
  const killed = keeperPid(workerId);
  if (killed !== undefined) process.kill(killed, 'SIGKILL');
  return async () => {
    const deadline = performance.now() + BACK_WITHIN_MS;
    for (let next = keeperPid(workerId); next === undefined || next === killed; next = keeperPid(workerId)) {
      if (performance.now() > deadline)
        throw new Error(`No lease keeper of ${workerId} was back within ${BACK_WITHIN_MS / 1_000} s after a kill.`);
      await pause(200);
    }
  };
}

function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    // Between its death and its next start the number may be a stranger's: only our own children are shot at.
    const [, parent] = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return Number(parent) === process.pid;
  } catch {
    return false;
  }
}

function signal(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined || !isAlive(pid)) return;
  try {
    process.kill(pid, name);
  } catch (error) {
    // Between its death and its next start there is nothing to disturb.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

interface StreamAnswer {
  readonly error?: { readonly description: string };
  readonly config?: Record<string, unknown>;
  readonly state?: { readonly bytes: number };
}

/** The stream has no room from now on: its limit becomes what it holds. The broker may be away at either end, so both are repeated. */
async function fillStream(world: ChaosWorld, stream: string): Promise<Heal> {
  const nc = await connectNats({ ...world.broker, name: 'chaos' });
  const ask = async (subject: string, body: unknown): Promise<StreamAnswer> => {
    for (let tries = 0; ; tries += 1) {
      try {
        const answer = (
          await nc.request(`$JS.API.${subject}.${stream}`, JSON.stringify(body), { timeout: 2_000 })
        ).json<StreamAnswer>();
        if (answer.error !== undefined) throw new Error(`${subject} of ${stream}: ${answer.error.description}`);
        return answer;
      } catch (error) {
        if (tries === 60) throw error;
        await pause(500);
      }
    }
  };
  const { config, state } = await ask('STREAM.INFO', {});
  await ask('STREAM.UPDATE', { ...config, max_bytes: Math.max(1, state?.bytes ?? 1) });
  return async () => {
    await ask('STREAM.UPDATE', config);
    await nc.close();
  };
}
