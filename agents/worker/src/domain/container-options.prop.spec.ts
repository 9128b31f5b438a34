import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import { taskSpecSchema } from '@gantry/contracts/tasks/task-spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containerOptions } from './container-options.js';

const setting = {
  agentId: 'w1',
  outputFolder: '/data/attempts/a/output',
  hostsFile: '/data/hosts',
  user: '65532:65532',
  bridgeNetwork: 'gantry-w1',
  engineCpus: 4,
  logFileSize: '1g',
};

function assignment(
  spec: object,
  extra: Partial<AssignEventData<'TaskAssigned'>> = {},
): AssignEventData<'TaskAssigned'> {
  return {
    taskId: '00000000-0000-7000-8000-000000000001',
    attempt: 2,
    ownerId: 'o',
    spec: { ...taskSpecSchema.parse({ name: 't', image: 'busybox' }), ...spec },
    workerId: 'w1',
    workerName: 'w1',
    gpuIds: [],
    leaseMs: 60_000,
    assignedAt: 0,
    ...extra,
  };
}

describe('container options', () => {
  it('writes the hardened default', () => {
    const { HostConfig, ...rest } = containerOptions(assignment({ command: ['echo', 'hi'], env: { A: 'b' } }), setting);
    expect(rest).toEqual({
      Image: 'busybox',
      Cmd: ['echo', 'hi'],
      Env: [
        'A=b',
        'GANTRY_TASK_ID=00000000-0000-7000-8000-000000000001',
        'GANTRY_ATTEMPT=2',
        'GANTRY_OUTPUT=/output',
        'NVIDIA_VISIBLE_DEVICES=void',
      ],
      User: '65532:65532',
      Labels: { 'gantry.agent': 'w1', 'gantry.task': '00000000-0000-7000-8000-000000000001', 'gantry.attempt': '2' },
      AttachStdin: false,
      OpenStdin: false,
      Tty: false,
      NetworkDisabled: true,
    });
    expect(HostConfig).toEqual({
      Memory: 256 * 1024 * 1024,
      MemorySwap: 256 * 1024 * 1024,
      NanoCpus: 1e9,
      PidsLimit: 256,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      ReadonlyRootfs: true,
      Init: true,
      IpcMode: 'private',
      CgroupnsMode: 'private',
      NetworkMode: 'none',
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      Tmpfs: { '/tmp': 'rw,nosuid,nodev,exec,mode=1777,uid=65532,gid=65532,size=256m' },
      Mounts: [
        { Type: 'bind', Source: '/data/attempts/a/output', Target: '/output' },
        { Type: 'bind', Source: '/data/hosts', Target: '/etc/hosts', ReadOnly: true },
      ],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1g', 'max-file': '4' } },
      DeviceRequests: [],
    });
  });

  it('is not moved by anything that a spec may carry beside its own fields', () => {
    const plain = containerOptions(assignment({}), setting);
    const evil = fc.dictionary(
      fc.constantFrom(
        'Privileged',
        'privileged',
        'HostConfig',
        'Binds',
        'Mounts',
        'CapAdd',
        'Devices',
        'PidMode',
        'Runtime',
        'User',
        'NetworkDisabled',
        'NetworkMode',
        'PortBindings',
        '__proto__',
        'SecurityOpt',
        'VolumesFrom',
      ),
      fc.anything(),
    );
    fc.assert(
      fc.property(evil, (fields) => {
        expect(containerOptions(assignment(fields), setting)).toEqual(plain);
      }),
    );
  });

  it('keeps reserved variables out of the user’s hands', () => {
    const { Env } = containerOptions(
      assignment({
        env: {
          NVIDIA_VISIBLE_DEVICES: 'all',
          NVIDIA_DRIVER_CAPABILITIES: 'all',
          GANTRY_OUTPUT: '/etc',
          toString: 'kept',
        },
      }),
      setting,
    );
    expect(Env.filter((entry) => entry.startsWith('NVIDIA_'))).toEqual(['NVIDIA_VISIBLE_DEVICES=void']);
    expect(Env.filter((entry) => entry.startsWith('GANTRY_OUTPUT'))).toEqual(['GANTRY_OUTPUT=/output']);
    expect(Env).toContain('toString=kept');
  });

  it('gives exactly the reserved devices', () => {
    const { Env, HostConfig } = containerOptions(assignment({}, { gpuIds: ['GPU-a', 'GPU-b'] }), setting);
    expect(HostConfig.DeviceRequests).toEqual([
      { Driver: 'nvidia', DeviceIDs: ['GPU-a', 'GPU-b'], Capabilities: [['gpu']] },
    ]);
    expect(Env).toContain('NVIDIA_VISIBLE_DEVICES=GPU-a,GPU-b');
  });

  it('never asks the engine for more cores than it has, nor for an unlimited /tmp', () => {
    const resources = { cpu: 64, memoryMb: 64, storageMb: 0, gpu: { count: 0 } };
    const { HostConfig } = containerOptions(assignment({ resources }), setting);
    expect(HostConfig.NanoCpus).toBe(4e9);
    expect(HostConfig.Tmpfs['/tmp']).toContain('size=1m');
  });

  it('leaves network and host names of a task that asks for a network to the engine', () => {
    const { HostConfig, NetworkDisabled } = containerOptions(assignment({ network: 'bridge' }), setting);
    expect(NetworkDisabled).toBe(false);
    expect(HostConfig.NetworkMode).toBe('gantry-w1');
    expect(HostConfig.Mounts.map(({ Target }) => Target)).toEqual(['/output']);
  });
});
