import { createHash } from 'node:crypto';
import { type DockerEngineFixture, importBusyboxImage, startDockerEngine } from '@gantry/testing/docker-engine.fixture';
import { eventually } from '@gantry/testing/eventually';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WorkerWorld } from './testing/worker-world.js';
import { WorkerAgent } from './worker-agent.js';

const sh = (script: string): string[] => ['sh', '-c', script];

describe('agent on a Docker engine', () => {
  let engine: DockerEngineFixture;
  let world: WorkerWorld;
  let agent: WorkerAgent;
  let docker: Docker;

  beforeAll(async () => {
    engine = await startDockerEngine();
    await importBusyboxImage(engine.socketPath, 'gantry-test/busybox:latest');
    docker = new Docker({ socketPath: engine.socketPath });
    world = await WorkerWorld.create();
    agent = await WorkerAgent.start(
      world.settings({
        GANTRY_WORKER_RUNTIME: 'docker',
        DOCKER_HOST: `unix://${engine.socketPath}`,
        GANTRY_METRICS_INTERVAL_MS: '250',
        GANTRY_WORKER_LABELS: 'zone=eu,provider=on-prem',
      }),
      world.logger(),
    );
  });

  afterAll(async () => {
    await agent?.stop();
    await world?.stop();
    await engine?.stop();
  });

  it('joins with its specs', async () => {
    const first = await eventually(() => {
      expect(world.heartbeats).not.toEqual([]);
      return world.heartbeats[0];
    });
    expect(first?.spec).toMatchObject({
      runtime: 'docker',
      labels: { zone: 'eu', provider: 'on-prem' },
      maxTasks: 64,
      gpus: [],
    });
    expect(first?.spec.images).toContain('gantry-test/busybox:latest');
    expect(first?.spec.capacity.memoryMb).toBeGreaterThan(100);
  });

  it('runs a command: reports, log lines of both streams, exit code, and nothing left over', async () => {
    const taskId = await world.assign({
      command: sh('echo out; echo err >&2; id -u; echo "$GANTRY_TASK_ID $GANTRY_ATTEMPT $GANTRY_OUTPUT"; exit 3'),
    });
    const exit = await world.exitOf(taskId);
    expect(exit).toMatchObject({ outcome: 'exited', exitCode: 3, message: expect.stringContaining('code 3') });
    expect(world.reportsOf(taskId).map(({ type }) => type)).toEqual(['accepted', 'started', 'exited']);
    const { lines, ends } = await world.storedLog(taskId);
    const of = (stream: string): string[] => lines.filter((line) => line.stream === stream).map(({ text }) => text);
    expect(of('stdout')).toEqual(['out', '65532', `${taskId} 1 /output`]);
    expect(of('stderr')).toEqual(['err']);
    expect(of('system')).toEqual([exit.message]);
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, index) => index + 1));
    expect(ends).toBe(1);
    await eventually(async () => {
      expect(await docker.listContainers({ all: true, filters: { label: [`gantry.task=${taskId}`] } })).toEqual([]);
      expect(agent.running).toEqual([]);
    });
  });

  it('keeps the files of /output, whatever their names', async () => {
    const taskId = await world.assign({
      command: sh(
        'mkdir -p /output/sub; echo hello > /output/sub/result.txt; : > /output/empty; echo odd > "/output/a b"; ln -s /etc/passwd /output/link; ln -s / /output/root; mkfifo /output/pipe; echo bad > "/output/back\\\\slash"; printf x > "$(printf "/output/\\377\\376")"',
      ),
    });
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'exited', exitCode: 0 });
    const stored = world.artifacts.filter((artifact) => artifact.taskId === taskId);
    expect(stored.map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual([
      ['a b', 4],
      ['empty', 0],
      ['sub/result.txt', 6],
    ]);
    expect(stored.find(({ path }) => path === 'sub/result.txt')?.sha256).toBe(
      createHash('sha256').update('hello\n').digest('hex'),
    );
    for (const { sha256, receivedSha256 } of stored) expect(receivedSha256).toBe(sha256);
    const { lines } = await world.storedLog(taskId);
    const skipped = lines.filter(({ stream }) => stream === 'system').map(({ text }) => text);
    expect(skipped).toHaveLength(5);
    for (const name of ['link', 'root', 'pipe', 'slash', 'UTF-8']) expect(skipped.join('\n')).toContain(name);
  });

  it('loses and reorders none of 100,000 numbered lines on both streams', async () => {
    const count = 100_000;
    const began = performance.now();
    const taskId = await world.assign({
      command: sh(`awk 'BEGIN { for (i = 1; i <= ${count}; i++) { print "out " i; print "err " i > "/dev/stderr" } }'`),
      resources: { cpu: 2, memoryMb: 64 },
    });
    expect(await world.exitOf(taskId, 110_000)).toMatchObject({ exitCode: 0 });
    const seconds = (performance.now() - began) / 1_000;
    const { lines } = await world.storedLog(taskId);
    for (const [stream, word] of [
      ['stdout', 'out'],
      ['stderr', 'err'],
    ] as const) {
      const own = lines.filter((line) => line.stream === stream);
      expect(own).toHaveLength(count);
      expect(own.findIndex(({ text, n }, index) => text !== `${word} ${index + 1}` || n !== index + 1)).toBe(-1);
    }
    expect(lines.findIndex(({ seq }, index) => seq !== index + 1)).toBe(-1);
    process.stdout.write(`${Math.round((2 * count) / seconds)} lines/s, start and exit included\n`);
  });

  it('cuts long lines without hurting characters', async () => {
    // Four bytes a character: the engine itself cuts at 16 KiB wherever that is, and stores what it cut through as unreadable.
    const taskId = await world.assign({
      command: sh(`awk 'BEGIN { for (i = 0; i < 20000; i++) printf "😀"; print ""; print "next" }'`),
    });
    await world.exitOf(taskId);
    const { lines } = await world.storedLog(taskId);
    const text = lines.map((line) => line.text).join('');
    expect(text === `${'😀'.repeat(20_000)}next`).toBe(true);
    expect(lines.map(({ partial }) => partial)).toEqual([true, true, true, true, undefined, undefined]);
    for (const line of lines) expect(Buffer.byteLength(line.text)).toBeLessThanOrEqual(16 * 1024);
  });

  it('tells running out of memory from other ends', async () => {
    const taskId = await world.assign({
      command: sh('x=a; while true; do x=$x$x; done'),
      resources: { cpu: 1, memoryMb: 16 },
    });
    expect(await world.exitOf(taskId)).toMatchObject({
      outcome: 'out_of_memory',
      exitCode: 137,
      message: expect.stringContaining('memory'),
    });
  });

  it('stops a task at its time limit', async () => {
    const taskId = await world.assign({ command: ['sleep', '600'], timeoutSeconds: 1 });
    const exit = await world.exitOf(taskId);
    expect(exit).toMatchObject({ outcome: 'timed_out', exitCode: 143, message: expect.stringContaining('1 s') });
    expect(exit.finishedAt - (exit.startedAt ?? 0)).toBeGreaterThanOrEqual(900);
  });

  it.each([['nosuchprogram'], ['/tmp']])('says why the command %s cannot start', async (command) => {
    const taskId = await world.assign({ command: [command] });
    expect(await world.exitOf(taskId)).toMatchObject({
      outcome: 'failed_to_start',
      message: expect.stringContaining(command),
    });
  });

  it('stops what fills its storage', async () => {
    const taskId = await world.assign({
      command: sh('dd if=/dev/zero of=/output/big bs=1M count=8 2>/dev/null; sleep 600'),
      resources: { cpu: 1, memoryMb: 64, storageMb: 2 },
    });
    expect(await world.exitOf(taskId)).toMatchObject({
      outcome: 'exited',
      exitCode: 1,
      message: expect.stringContaining('storage limit of 2 MiB'),
    });
  });

  it('stores 50 MB of output, checksums included', async () => {
    const taskId = await world.assign({
      command: sh('dd if=/dev/urandom of=/output/data.bin bs=1M count=50 2>/dev/null'),
    });
    await world.started(taskId);
    const exit = await world.exitOf(taskId);
    expect(exit).toMatchObject({ exitCode: 0 });
    const [stored] = world.artifacts.filter((artifact) => artifact.taskId === taskId);
    expect(stored).toMatchObject({ path: 'data.bin', sizeBytes: 50 * 1024 * 1024 });
    expect(stored?.receivedSha256).toBe(stored?.sha256);
    process.stdout.write(`50 MB stored ${Date.now() - exit.finishedAt} ms after the exit\n`);
  });

  it('hardens containers and keeps them off the network', async () => {
    const taskId = await world.assign({
      command: sh(
        'touch /x 2>&1; grep -E "CapEff|CapBnd|NoNewPrivs" /proc/self/status; cat /proc/net/dev | tail -n +3 | cut -d: -f1; echo "$NVIDIA_VISIBLE_DEVICES"; echo ok > /tmp/f && cat /tmp/f',
      ),
    });
    await world.exitOf(taskId);
    const text = (await world.storedLog(taskId)).lines.map((line) => line.text.trim().replace(/\s+/g, ' '));
    expect(text).toEqual([
      'touch: /x: Read-only file system',
      'CapEff: 0000000000000000',
      'CapBnd: 0000000000000000',
      'NoNewPrivs: 1',
      'lo',
      'void',
      'ok',
    ]);
  });

  it('gives a bridge of its own to a task that asks for a network', async () => {
    const taskId = await world.assign({
      command: sh('cut -d: -f1 /proc/net/dev | tail -n +3 | tr -d " " | sort'),
      network: 'bridge',
    });
    expect(await world.exitOf(taskId)).toMatchObject({ exitCode: 0 });
    expect((await world.storedLog(taskId)).lines.map(({ text }) => text)).toEqual(['eth0', 'lo']);
    const network = (await docker.getNetwork(`gantry-${world.workerId}`).inspect()) as {
      Options: Record<string, string>;
    };
    expect(network.Options['com.docker.network.bridge.enable_icc']).toBe('false');
  });

  it('samples host and tasks', async () => {
    const taskId = await world.assign({
      command: sh('i=0; while [ $i -lt 100000000 ]; do i=$((i+1)); done'),
      timeoutSeconds: 600,
    });
    await eventually(
      () => {
        const samples = world.metrics.flatMap(({ tasks }) => tasks).filter((sample) => sample.taskId === taskId);
        expect(samples.length).toBeGreaterThan(2);
        expect(samples.at(-1)?.cpuPercent).toBeGreaterThan(5);
        expect(samples.at(-1)).toMatchObject({ attempt: 1, memoryLimitMb: 64 });
        expect(samples.at(-1)?.processes).toBeGreaterThan(0);
      },
      { timeoutMs: 30_000 },
    );
    expect(world.metrics.at(-1)?.host[0]?.memoryTotalMb).toBeGreaterThan(100);
    await world.revoke(taskId, { graceMs: 0 });
    const exit = await world.exitOf(taskId);
    expect(exit.usage?.cpuSeconds).toBeGreaterThan(0);
    expect(exit.usage?.peakMemoryMb).toBeGreaterThan(0);
  });
});
