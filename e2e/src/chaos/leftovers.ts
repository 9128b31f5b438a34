import fs from 'node:fs';
import path from 'node:path';
import { engineGet } from './engine-call.js';

/** What the machine still holds of a run: asked from the engine and the kernel, not from Gantry. Each is named for people. */
export async function findLeftovers(options: {
  readonly dockerHost: string;
  readonly runFolder: string;
  readonly agents: readonly string[];
}): Promise<string[]> {
  return [
    ...(await listContainers(options.dockerHost)),
    ...findSandboxes(options.runFolder),
    ...findControlGroups(options.agents),
  ];
}

async function listContainers(host: string): Promise<string[]> {
  const containers = JSON.parse(await engineGet(host, '/containers/json?all=1')) as {
    Names: string[];
    State: string;
  }[];
  return containers.map(({ Names, State }) => `container ${Names.join(' ')} (${State})`);
}

/** Sandboxes are recognised by the tool, which lies in the folder of the run. */
function findSandboxes(runFolder: string): string[] {
  const tool = path.join(runFolder, 'sandbox-tool');
  return fs.readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      return fs.readlinkSync(`/proc/${pid}/exe`) === tool ? [`sandbox process ${pid}`] : [];
    } catch {
      return [];
    }
  });
}

const CONTROL_GROUPS = '/sys/fs/cgroup';

/** Agents make groups below their own, which is this process's too. */
function findControlGroups(agents: readonly string[]): string[] {
  const places = fs.readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n');
  return places
    .map((line) => line.split(':'))
    .map(([, controllers = '', place = '/']) => path.join(CONTROL_GROUPS, controllers, place))
    .filter((folder) => fs.existsSync(folder))
    .flatMap((folder) => fs.readdirSync(folder).map((name) => path.join(folder, name)))
    .filter((folder) => agents.some((agent) => path.basename(folder).startsWith(`gantry-${agent}-`)))
    .map((folder) => `control group ${folder}`);
}
