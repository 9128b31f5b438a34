import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';

/**
 * The body of the engine's "create container" call. Written out field by field: whatever is not named here cannot be set, so no
 * user input can ask for privileges, host mounts, devices, host namespaces, capabilities, ports or another runtime.
 */
export interface ContainerOptions {
  readonly Image: string;
  readonly Cmd?: string[];
  readonly Env: string[];
  readonly User: string;
  readonly Labels: Record<string, string>;
  readonly AttachStdin: false;
  readonly OpenStdin: false;
  readonly Tty: false;
  /** True: a network namespace of the container's own all the same, but made by the runtime alone (ADR 17). */
  readonly NetworkDisabled: boolean;
  readonly HostConfig: HostConfig;
}

interface HostConfig {
  readonly Memory: number;
  readonly MemorySwap: number;
  readonly NanoCpus: number;
  readonly PidsLimit: number;
  readonly CapDrop: readonly ['ALL'];
  readonly SecurityOpt: readonly ['no-new-privileges'];
  readonly Privileged: false;
  readonly ReadonlyRootfs: true;
  readonly Init: true;
  readonly IpcMode: 'private';
  readonly CgroupnsMode: 'private';
  readonly NetworkMode: string;
  readonly RestartPolicy: { readonly Name: 'no' };
  readonly AutoRemove: false;
  readonly Tmpfs: { readonly '/tmp': string };
  readonly Mounts: readonly (
    | { readonly Type: 'bind'; readonly Source: string; readonly Target: '/output' }
    | { readonly Type: 'bind'; readonly Source: string; readonly Target: '/etc/hosts'; readonly ReadOnly: true }
  )[];
  readonly LogConfig: { readonly Type: 'json-file'; readonly Config: Record<string, string> };
  readonly DeviceRequests: readonly {
    readonly Driver: 'nvidia';
    readonly DeviceIDs: string[];
    readonly Capabilities: string[][];
  }[];
}

export interface ContainerSetting {
  readonly agentId: string;
  /** Absolute path on the engine's machine of the attempt's own output folder. */
  readonly outputFolder: string;
  /** Absolute path there of the file that names the loopback addresses in containers without a network. */
  readonly hostsFile: string;
  /** `uid:gid` that owns the output folder. */
  readonly user: string;
  /** Name of the agent's bridge without inter-container traffic. */
  readonly bridgeNetwork: string;
  /** The engine refuses to promise more cores than it has. */
  readonly engineCpus: number;
  /** Size of one log file of the engine; it keeps four. */
  readonly logFileSize: string;
}

export const containerLabels = { agent: 'gantry.agent', task: 'gantry.task', attempt: 'gantry.attempt' } as const;

const MEBIBYTE = 1024 * 1024;
const PIDS_LIMIT = 256;

export function containerName(taskId: string, attempt: number): string {
  return `gantry-${taskId}-${attempt}`;
}

export function containerOptions(
  assignment: AssignEventData<'TaskAssigned'>,
  setting: ContainerSetting,
): ContainerOptions {
  const { spec, taskId, attempt, gpuIds } = assignment;
  const { resources } = spec;
  const memory = resources.memoryMb * MEBIBYTE;
  // A tmpfs lives in the container's memory; size 0 would mean no limit.
  const [uid = '0', gid = '0'] = setting.user.split(':');
  const isolated = spec.network !== 'bridge';
  const scratchMb = Math.max(1, Math.min(resources.storageMb, resources.memoryMb));
  return {
    Image: spec.image,
    ...(spec.command.length === 0 ? {} : { Cmd: [...spec.command] }),
    Env: environmentOf(assignment),
    User: setting.user,
    Labels: {
      [containerLabels.agent]: setting.agentId,
      [containerLabels.task]: taskId,
      [containerLabels.attempt]: String(attempt),
    },
    AttachStdin: false,
    OpenStdin: false,
    Tty: false,
    // Of a container with a network, even with none of it, the engine keeps a sandbox of its own: half the cost of a start.
    NetworkDisabled: isolated,
    HostConfig: {
      Memory: memory,
      MemorySwap: memory,
      NanoCpus: Math.round(Math.max(0.01, Math.min(resources.cpu, setting.engineCpus)) * 100) * 10_000_000,
      PidsLimit: PIDS_LIMIT,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      ReadonlyRootfs: true,
      // Without an init, `sleep` and shells as process 1 ignore SIGTERM.
      Init: true,
      IpcMode: 'private',
      CgroupnsMode: 'private',
      // An engine that knew nothing of `NetworkDisabled` would still give no network.
      NetworkMode: isolated ? 'none' : setting.bridgeNetwork,
      RestartPolicy: { Name: 'no' },
      // Auto-removal would lose the exit code.
      AutoRemove: false,
      // Owned by the task: the engine takes the mode over from an image's own /tmp, which may be closed to others.
      Tmpfs: { '/tmp': `rw,nosuid,nodev,exec,mode=1777,uid=${uid},gid=${gid},size=${scratchMb}m` },
      // `Binds` would silently create a missing folder as root.
      Mounts: [
        { Type: 'bind', Source: setting.outputFolder, Target: '/output' },
        // The engine writes this file only for a container that it gives a sandbox.
        ...(isolated
          ? [{ Type: 'bind', Source: setting.hostsFile, Target: '/etc/hosts', ReadOnly: true } as const]
          : []),
      ],
      LogConfig: { Type: 'json-file', Config: { 'max-size': setting.logFileSize, 'max-file': '4' } },
      DeviceRequests:
        gpuIds.length === 0 ? [] : [{ Driver: 'nvidia', DeviceIDs: [...gpuIds], Capabilities: [['gpu']] }],
    },
  };
}

/** The task's own variables first: what Gantry sets wins. */
export function environmentOf({ spec, taskId, attempt, gpuIds }: AssignEventData<'TaskAssigned'>): string[] {
  const own = Object.entries(spec.env).filter(([name]) => !name.startsWith('NVIDIA_') && !reserved.has(name));
  return [
    ...own.map(([name, value]) => `${name}=${value}`),
    `GANTRY_TASK_ID=${taskId}`,
    `GANTRY_ATTEMPT=${attempt}`,
    'GANTRY_OUTPUT=/output',
    // Images may ask the NVIDIA runtime for all devices; only reserved ones are given, by device requests.
    ...(gpuIds.length === 0 ? ['NVIDIA_VISIBLE_DEVICES=void'] : [`NVIDIA_VISIBLE_DEVICES=${gpuIds.join(',')}`]),
  ];
}

const reserved: ReadonlySet<string> = new Set(['GANTRY_TASK_ID', 'GANTRY_ATTEMPT', 'GANTRY_OUTPUT']);
