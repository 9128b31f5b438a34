import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Logger } from '@gantry/nest-platform/logger';
import type { ContainerRuntime } from '../runtime/container-runtime.port.js';
import { KeptRuntime, keptAttempt } from '../runtime/kept-runtime.js';
import { attemptKey, type AgentStore } from '../session/agent-store.js';
import type { BootClock } from '../session/boot-clock.js';
import type { LeaseRenewal } from '../session/lease-renewal.js';
import { ControlGroups } from './control-groups.js';
import { KeeperLink } from './keeper-link.js';
import type { KeptAttempt } from './keeper-orders.js';

export const leaseKeeperProgram = fileURLToPath(new URL('./lease-keeper.main.js', import.meta.url));

export interface KeepLeasesOptions {
  readonly workerId: string;
  readonly dataFolder: string;
  readonly dockerHost: string | undefined;
  readonly program: string;
  readonly runtime: ContainerRuntime;
  readonly store: Pick<AgentStore, 'attempts' | 'leaseMark'>;
  readonly renewal: Pick<LeaseRenewal, 'at'>;
  readonly bootClock: BootClock;
  readonly logger: Logger;
}

/** Puts the runtime under a lease keeper where one can work; says so where none can, and leaves everything else as it was. */
export async function keepLeases(
  options: KeepLeasesOptions,
): Promise<{ readonly runtime: ContainerRuntime; readonly link: KeeperLink | undefined }> {
  const { runtime, store, renewal, logger } = options;
  if (runtime.kind === 'simulated') return { runtime, link: undefined };
  const obstacle = obstacleOf(options);
  if (obstacle !== undefined) {
    logger.warn(
      { reason: obstacle },
      'no lease keeper: while this agent is dead or frozen its tasks may run on after their lease',
    );
    return { runtime, link: undefined };
  }
  const link = await KeeperLink.open({ ...options, attempts: leftRunning(options), renewedAt: renewal.at });
  const markOf = (taskId: string, attempt: number): string => store.leaseMark(attemptKey(taskId, attempt));
  return { runtime: new KeptRuntime(runtime, { link, markOf, groups: ControlGroups.ofThisMachine(), logger }), link };
}

function obstacleOf({ runtime, dockerHost, program }: KeepLeasesOptions): string | undefined {
  if (process.platform !== 'linux') return 'it needs Linux';
  if (process.getuid?.() !== 0) return 'the agent is not root';
  if (runtime.kind === 'docker' && dockerHost !== undefined && !dockerHost.startsWith('unix://'))
    return 'the engine is on another machine';
  if (!existsSync('/proc/self/cgroup')) return 'the kernel shows no control groups';
  return existsSync(program) ? undefined : `${program} is missing`;
}

/** What an earlier life of the agent started, or was about to. */
function leftRunning({ runtime, store }: KeepLeasesOptions): KeptAttempt[] {
  return store.attempts().flatMap(({ key, record: { state, assignment } }) => {
    const containerId = 'containerId' in state ? state.containerId : undefined;
    const group = containerId === undefined ? undefined : runtime.controlGroup(containerId);
    if (containerId === undefined || group === undefined) return [];
    return [keptAttempt(containerId, group, assignment.leaseMs, store.leaseMark(key), state.status !== 'creating')];
  });
}
