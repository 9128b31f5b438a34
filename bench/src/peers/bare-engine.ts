import Docker from 'dockerode';

export interface BareResources {
  cpu: number;
  memoryMb: number;
}

/** The floor: the same container through the engine's API and nothing else (create, attach, start, wait, remove). */
export class BareEngine {
  private readonly docker: Docker;

  constructor(socketPath: string) {
    this.docker = new Docker({ socketPath });
  }

  async run(
    image: string,
    command: string[],
    resources: BareResources,
  ): Promise<{ running: number; finished: number }> {
    const startedAt = performance.now();
    const container = await this.docker.createContainer({
      Image: image,
      Cmd: command,
      User: '65532:65532',
      AttachStdout: true,
      AttachStderr: true,
      HostConfig: {
        NetworkMode: 'none',
        Init: true,
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        Tmpfs: { '/tmp': 'rw,nosuid,nodev,size=16m' },
        NanoCpus: Math.round(resources.cpu * 1e9),
        Memory: resources.memoryMb * 1024 * 1024,
        MemorySwap: resources.memoryMb * 1024 * 1024,
        PidsLimit: 256,
      },
    });
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
