import { readFileSync } from 'node:fs';
import { eventually } from '@gantry/testing/eventually';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProcessCgroup } from './runtime/process/process-cgroup.js';
import { compiledPrograms } from './testing/agent-process.js';
import { WorkerWorld } from './testing/worker-world.js';
import { WorkerAgent } from './worker-agent.js';

const sh = (script: string): string[] => ['sh', '-c', script];

describe('agent with the process sandbox', () => {
  let world: WorkerWorld;
  let agent: WorkerAgent;

  let mayMakeCgroups: boolean;

  beforeAll(async () => {
    const cgroup = await ProcessCgroup.create('gantry-probe', { memoryBytes: 2 ** 26, cpus: 1, processes: 10 });
    mayMakeCgroups = cgroup?.accounts === true;
    await cgroup?.remove();
    world = await WorkerWorld.create();
    agent = await WorkerAgent.start(
      world.settings({ GANTRY_WORKER_RUNTIME: 'process', GANTRY_METRICS_INTERVAL_MS: '250' }),
      world.logger(),
      compiledPrograms(),
    );
  });

  afterAll(async () => {
    await agent?.stop();
    await world?.stop();
  });

  const linesOf = async (taskId: string, stream: string): Promise<string[]> =>
    (await world.storedLog(taskId)).lines.filter((line) => line.stream === stream).map(({ text }) => text);

  it('runs a command as nobody, without network, privileges or a view of the machine', async () => {
    const taskId = await world.assign({
      command: sh(
        'id -u; cut -d: -f1 /proc/net/dev | tail -n +3 | tr -d " "; grep CapEff /proc/self/status | cut -f2; ls /root /home /srv 2>/dev/null | wc -l; touch /usr/x 2>/dev/null || echo read-only; ps -e 2>/dev/null | wc -l; echo "$GANTRY_TASK_ID"; echo err >&2; printf "no line feed"; exit 3',
      ),
    });
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'exited', exitCode: 3 });
    const out = await linesOf(taskId, 'stdout');
    expect(out.slice(0, 5)).toEqual([expect.stringMatching(/^\d+$/), 'lo', '0000000000000000', '0', 'read-only']);
    if (process.getuid?.() === 0) expect(out[0]).toBe('65532');
    expect(Number(out[5])).toBeLessThan(8);
    expect(out.slice(6)).toEqual([taskId, 'no line feed']);
    expect(await linesOf(taskId, 'stderr')).toEqual(['err']);
  });

  it('is ended before the processes that look after it when memory runs out', async () => {
    const taskId = await world.assign({ command: sh('cat /proc/self/oom_score_adj') });
    await world.exitOf(taskId);
    expect(await linesOf(taskId, 'stdout')).toEqual([readFileSync('/proc/self/oom_score_adj', 'utf8').trim()]);
  });

  it('keeps files', async () => {
    const taskId = await world.assign({ command: sh('echo data > /output/file; echo x > /tmp/scratch') });
    expect(await world.exitOf(taskId)).toMatchObject({ exitCode: 0 });
    expect(world.artifacts.filter((artifact) => artifact.taskId === taskId).map(({ path }) => path)).toEqual(['file']);
  });

  it('stops a task that listens to SIGTERM, and kills one that does not', async () => {
    const polite = await world.assign({
      command: sh('trap "echo bye; exit 0" TERM; echo hi; while true; do sleep 0.1; done'),
    });
    const stubborn = await world.assign({ command: sh('trap "" TERM; echo hi; while true; do sleep 0.1; done') });
    for (const taskId of [polite, stubborn]) {
      await eventually(async () => expect(await linesOf(taskId, 'stdout')).toEqual(['hi']));
      await world.revoke(taskId, { graceMs: taskId === polite ? 20_000 : 300 });
    }
    expect(await world.exitOf(polite)).toMatchObject({ outcome: 'cancelled', exitCode: 0 });
    expect(await world.exitOf(stubborn)).toMatchObject({ outcome: 'cancelled', exitCode: 137 });
    expect(await linesOf(polite, 'stdout')).toEqual(['hi', 'bye']);
  });

  it('says why a command cannot start', async () => {
    const missing = await world.assign({ command: ['nosuchprogram'] });
    expect(await world.exitOf(missing)).toMatchObject({
      outcome: 'failed_to_start',
      message: expect.stringContaining('nosuchprogram'),
    });
    const none = await world.assign({ command: [] });
    expect(await world.exitOf(none)).toMatchObject({
      outcome: 'failed_to_start',
      message: expect.stringContaining('give the task a command'),
    });
  });

  it('ends a task that takes more memory than it asked for', async () => {
    const taskId = await world.assign({
      command: sh('x=a; while true; do x=$x$x; done'),
      resources: { cpu: 1, memoryMb: 32 },
    });
    const exit = await world.exitOf(taskId);
    expect(exit.exitCode).not.toBe(0);
    // Where the agent may not make control groups it limits the address space instead, and the command sees a failed allocation.
    expect(exit.outcome).toBe(mayMakeCgroups ? 'out_of_memory' : 'exited');
  });

  it('stops at the time limit and reports resource use', async () => {
    const taskId = await world.assign({ command: sh('while true; do :; done'), timeoutSeconds: 2 });
    const exit = await world.exitOf(taskId);
    expect(exit).toMatchObject({ outcome: 'timed_out' });
    if (mayMakeCgroups) expect(exit.usage?.cpuSeconds).toBeGreaterThan(0.2);
    else expect(exit.usage).toBeUndefined();
  });

  it('loses none of 100,000 lines', async () => {
    const count = 100_000;
    const taskId = await world.assign({ command: sh(`i=0; seq 1 ${count}`) });
    expect(await world.exitOf(taskId)).toMatchObject({ exitCode: 0 });
    const out = await linesOf(taskId, 'stdout');
    expect(out).toHaveLength(count);
    expect(out.findIndex((text, index) => text !== String(index + 1))).toBe(-1);
  });
});
