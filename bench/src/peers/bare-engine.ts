import { temporaryFolder } from '@gantry/testing/temporary-folder';
import Docker from 'dockerode';

const LINE_FEED = 0x0a;

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
    const container = await this.docker.createContainer(this.optionsOf(image, command, resources));
    const output = await container.attach({ stream: true, stdout: true, stderr: true });
    output.resume();
    await container.start();
    const running = performance.now() - startedAt;
    await container.wait();
    const finished = performance.now() - startedAt;
    await container.remove();
    return { running, finished };
  }

  /** Lines a second of one container whose log is followed with time stamps, as an agent does it, from its first line to its last. */
  async followLog(image: string, command: string[], resources: BareResources): Promise<number> {
    const container = await this.docker.createContainer(this.optionsOf(image, command, resources));
    await container.start();
    const log = await container.logs({ follow: true, stdout: true, stderr: true, timestamps: true });
    let startedAt = 0;
    let lines = 0;
    for await (const bytes of log as AsyncIterable<Buffer>) {
      if (startedAt === 0) startedAt = performance.now();
      for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) lines += 1;
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    await container.remove({ force: true });
    return lines / seconds;
  }

  private optionsOf(image: string, command: string[], resources: BareResources) {
    return {
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
