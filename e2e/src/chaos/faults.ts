import os from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { connectNats } from '@gantry/jetstream/connect';
import type { ChaosWorld } from './chaos-world.js';
import { engineGet } from './engine-call.js';
import type { PlannedFault } from './fault-plan.js';
import type { DoneFault } from './observations.js';

/** Takes the disturbance away again. */
type Heal = () => Promise<void> | void;

/** Does one planned fault to the world, waits its time, and undoes it. Gives when it really began and ended. */
export async function commitFault(world: ChaosWorld, fault: PlannedFault): Promise<DoneFault> {
  const from = os.uptime();
  const heal = await apply(world, fault);
  if (fault.duration > 0) await pause(fault.duration);
  await heal();
  const { kind, target, how } = fault;
  const workerId = world.agents.find(({ name }) => name === target)?.id;
  return {
    kind,
    target,
    ...(how === undefined ? {} : { how }),
    ...(workerId === undefined ? {} : { workerId }),
    from,
    to: os.uptime(),
  };
}

async function apply(world: ChaosWorld, { kind, target, how = 'link' }: PlannedFault): Promise<Heal> {
  switch (kind) {
    case 'kill':
      signal(world.part(target).pid, 'SIGKILL');
      return target === 'docker' ? () => engineIsBack(world) : () => undefined;
    case 'kill-all':
      for (const name of world.partNames) signal(world.part(name).pid, 'SIGKILL');
      return () => engineIsBack(world);
    case 'freeze': {
      // It may be killed while it is frozen; what is started in its place is not.
      const { pid } = world.part(target);
      signal(pid, 'SIGSTOP');
      return () => signal(pid, 'SIGCONT');
    }
    case 'cut':
      world.network.cut(target, how);
      return () => world.network.join(target);
    case 'fill':
      return fillStream(world, target);
  }
}

/** What containers print while there is no engine is judged by other rules, so the report says how long that was. */
async function engineIsBack(world: ChaosWorld): Promise<void> {
  // It was killed a moment ago: an answer now would be from its last breath.
  await pause(200);
  while ((await engineGet(world.dockerHost, '/_ping').catch(() => '')) !== 'OK') await pause(100);
}

function signal(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
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
