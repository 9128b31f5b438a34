import { readlinkSync } from 'node:fs';
import { type DockerEngineFixture, importBusyboxImage, startDockerEngine } from '@gantry/testing/docker-engine.fixture';
import { eventually } from '@gantry/testing/eventually';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WorkerWorld } from './testing/worker-world.js';
import { WorkerAgent } from './worker-agent.js';

const sh = (script: string): string[] => ['sh', '-c', script];

/** Serves one connection to port 7000, which the kernel writes as 1B58. */
const LISTEN = 'nc -l -p 7000 -e echo hello & until grep -q :1B58 /proc/net/tcp*; do sleep 0.1; done';

describe('containers without a network', () => {
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
      world.settings({ GANTRY_WORKER_RUNTIME: 'docker', DOCKER_HOST: `unix://${engine.socketPath}` }),
      world.logger(),
    );
  });

  afterAll(async () => {
    await agent?.stop();
    await world?.stop();
    await engine?.stop();
  });

  const run = async (script: string, network: 'none' | 'bridge' = 'none'): Promise<string[]> => {
    const taskId = await world.assign({ command: sh(script), network });
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'exited', exitCode: 0 });
    return (await world.storedLog(taskId)).lines.map(({ text }) => text);
  };

  it('has a namespace for each, in which nobody else is', async () => {
    const first = await world.assign({ command: sh(`readlink /proc/self/ns/net; ${LISTEN}; echo listening; wait`) });
    const firstLines = await eventually(async () => {
      const lines = (await world.storedLog(first)).lines.map(({ text }) => text);
      expect(lines).toContain('listening');
      return lines;
    });
    const [second, ...answers] = await run(
      'readlink /proc/self/ns/net; tail -n +2 /proc/net/unix; tail -n +2 /proc/net/tcp; tail -n +2 /proc/net/route; nc -w 5 127.0.0.1 7000 </dev/null 2>&1 || true',
    );
    expect(answers).toEqual([expect.stringContaining('Connection refused')]);
    expect(new Set([firstLines[0], second, readlinkSync('/proc/self/ns/net')]).size).toBe(3);
    await world.revoke(first, { graceMs: 0 });
    await world.exitOf(first);
  });

  it('reaches itself by address and by name', async () => {
    expect(await run(`${LISTEN}; nc -w 5 127.0.0.1 7000 </dev/null`)).toEqual(['hello']);
    expect(await run(`${LISTEN}; nc -w 5 localhost 7000 </dev/null`)).toEqual(['hello']);
  });

  it('cannot change the names that all of them read', async () => {
    const names = ['127.0.0.1\tlocalhost', '::1\tlocalhost ip6-localhost ip6-loopback'];
    expect(await run('(echo 127.0.0.1 evil >> /etc/hosts) 2>/dev/null || cat /etc/hosts')).toEqual(names);
    expect(await run('cat /etc/hosts')).toEqual(names);
  });

  it('costs the engine no sandbox, unless the task asks for a network', async () => {
    const sandboxOf = async (network: 'none' | 'bridge'): Promise<string> => {
      const taskId = await world.assign({ command: ['sleep', '600'], network });
      const { containerId } = await world.started(taskId);
      const { NetworkSettings } = await docker.getContainer(containerId).inspect();
      await world.revoke(taskId, { graceMs: 0 });
      await world.exitOf(taskId);
      return (NetworkSettings as { SandboxID: string }).SandboxID;
    };
    expect(await sandboxOf('none')).toBe('');
    expect(await sandboxOf('bridge')).not.toBe('');
    // The engine names such a container for itself.
    expect(await run('grep -c "$(hostname)" /etc/hosts', 'bridge')).toEqual(['1']);
  });
});
