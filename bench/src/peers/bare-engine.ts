import { temporaryFolder } from '@gantry/testing/temporary-folder';
import Docker from 'dockerode';

export interface BareResources {
  cpu: number;
  memoryMb: number;
}

/** `none`: how everybody asks for no network. `disabled`: how Gantry does, which keeps the engine from setting up a sandbox (ADR 17). */
export type BareNetwork = 'none' | 'disabled';

/**
 * The floor: the same container (agents/worker/src/domain/container-options.ts) through the engine's API and nothing else: create, attach,
 * start, wait, remove. All of them share one folder at /output, which nobody looks at.
 */
export class BareEngine {
  private readonly docker: Docker;
  private readonly outputFolder = temporaryFolder('gantry-bare-output');

  constructor(
    socketPath: string,
    private readonly network: BareNetwork,
  ) {
    this.docker = new Docker({ socketPath });
  }

  async run(
    image: string,
    command: string[],
    resources: BareResources,
  ): Promise<{ running: number; finished: number }> {
    const startedAt = performance.now();
    const options = {
      Image: image,
      Cmd: command,
      User: '65532:65532',
      AttachStdout: true,
      AttachStderr: true,
      NetworkDisabled: this.network === 'disabled',
      HostConfig: {
        NetworkMode: 'none',
        IpcMode: 'private',
        CgroupnsMode: 'private',
        Init: true,
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        Tmpfs: { '/tmp': 'rw,nosuid,nodev,exec,mode=1777,uid=65532,gid=65532,size=16m' },
        Mounts: [{ Type: 'bind' as const, Source: this.outputFolder, Target: '/output' }],
        LogConfig: { Type: 'json-file', Config: { 'max-size': '1g', 'max-file': '4' } },
        NanoCpus: Math.round(resources.cpu * 1e9),
        Memory: resources.memoryMb * 1024 * 1024,
        MemorySwap: resources.memoryMb * 1024 * 1024,
        PidsLimit: 256,
      },
    };
    const container = await this.docker.createContainer(options);
    const output = await container.attach({ stream: true, stdout: true, stderr: true });
    output.resume();
    await container.start();
    const running = performance.now() - startedAt;
    await container.wait();
    const finished = performance.now() - startedAt;
    await container.remove();
    return { running, finished };
  }

  /** Seconds for `count` containers, `concurrency` at a time. */
  async runMany(
    count: number,
    concurrency: number,
    image: string,
    command: string[],
    resources: BareResources,
  ): Promise<number> {
    const startedAt = performance.now();
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < count) {
        next += 1;
        await this.run(image, command, resources);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
    return (performance.now() - startedAt) / 1_000;
  }
}
