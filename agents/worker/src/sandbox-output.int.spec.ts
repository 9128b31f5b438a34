import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pause } from '@gantry/jetstream/pause';
import { eventually } from '@gantry/testing/eventually';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { identityOf, isAlive } from './keeper/process-identity.js';
import { addNote } from './session/attempt-journal.js';
import { compileAgent, compiledPrograms, endProcess, startAgentProcess } from './testing/agent-process.js';
import { WorkerWorld } from './testing/worker-world.js';

const sh = (script: string): string[] => ['sh', '-c', script];

describe('what sandboxes print, when agent or broker are away', () => {
  let world: WorkerWorld;
  let child: ChildProcess | undefined;

  const startAgent = (extra: Record<string, string> = {}): Promise<ChildProcess> =>
    startAgentProcess(world.environment({ GANTRY_WORKER_RUNTIME: 'process', ...extra }), (started) => {
      child = started;
    });

  const killAgent = async (): Promise<void> => {
    if (child !== undefined) await endProcess(child, 'SIGKILL');
  };

  beforeAll(compileAgent);

  beforeEach(async () => {
    world = await WorkerWorld.create();
  });

  afterEach(async () => {
    process.kill(world.nats.pid, 'SIGCONT');
    // Not killed: it tells its lease keeper that there is nothing left to wait for.
    if (child !== undefined) await endProcess(child, 'SIGTERM');
    await world.stop();
  });

  const attemptFolder = (taskId: string): string =>
    join(world.dataFolder, 'worker', world.workerId, 'attempts', `${taskId}.1`);
  const witnessed = (taskId: string, stream: string): string[] =>
    readFileSync(join(attemptFolder(taskId), 'output', stream), 'utf8')
      .trimEnd()
      .split('\n');
  const spooledBytes = (taskId: string): number => {
    const folder = join(attemptFolder(taskId), 'spool');
    return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  };
  const storedOf = async (taskId: string, stream: string): Promise<string[]> =>
    (await world.storedLog(taskId)).lines.filter((line) => line.stream === stream).map(({ text }) => text);

  /** Each line is printed, and then written to a file of the task. */
  const printing = sh(
    'w() { echo "$1 $2"; }; i=0; while true; do i=$((i+1)); w out $i; w out $i >> /output/stdout; w err $i >&2; w err $i >> /output/stderr; sleep 0.02; done',
  );

  const expectAllKept = async (taskId: string): Promise<void> => {
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'infrastructure_error' });
    const { lines, ends } = await world.storedLog(taskId);
    expect(lines.findIndex(({ seq }, index) => seq !== index + 1)).toBe(-1);
    expect(ends).toBe(1);
    // A line that was printed and not written to the file any more may follow.
    for (const [stream, seen] of printed) {
      const stored = await storedOf(taskId, stream);
      expect(stored.slice(0, seen.length)).toEqual(seen);
      expect(stored.length).toBeLessThanOrEqual(seen.length + 1);
    }
  };
  const printed = new Map<string, string[]>();
  const lookAtWitness = (taskId: string): void => {
    for (const stream of ['stdout', 'stderr']) printed.set(stream, witnessed(taskId, stream));
  };

  it('are kept to the last line when the agent is killed while it is cut off from the broker', async () => {
    await startAgent();
    const taskId = await world.assign({ command: printing });
    await eventually(async () => expect((await storedOf(taskId, 'stdout')).length).toBeGreaterThan(20));
    process.kill(world.nats.pid, 'SIGSTOP');
    const before = witnessed(taskId, 'stdout').length;
    await eventually(() => expect(witnessed(taskId, 'stdout').length).toBeGreaterThan(before + 100), {
      timeoutMs: 30_000,
    });
    await killAgent();
    process.kill(world.nats.pid, 'SIGCONT');
    lookAtWitness(taskId);
    await startAgent();
    await expectAllKept(taskId);
    await eventually(() => expect(() => statSync(attemptFolder(taskId))).toThrow('ENOENT'));
  });

  it('are kept when the agent is killed while it is frozen, each line with the time of its printing', async () => {
    await startAgent();
    const taskId = await world.assign({ command: printing });
    await eventually(async () => expect((await storedOf(taskId, 'stdout')).length).toBeGreaterThan(20));
    child?.kill('SIGSTOP');
    const frozenAt = Date.now();
    const before = witnessed(taskId, 'stdout').length;
    await eventually(() => expect(witnessed(taskId, 'stdout').length).toBeGreaterThan(before + 100), {
      timeoutMs: 30_000,
    });
    await killAgent();
    const killedAt = Date.now();
    lookAtWitness(taskId);
    await startAgent();
    await expectAllKept(taskId);
    const { lines } = await world.storedLog(taskId);
    const late = lines.filter(({ t }) => t > frozenAt);
    expect(late.length).toBeGreaterThan(200);
    expect(late.every(({ t }) => t <= killedAt + 1_000)).toBe(true);
    expect(new Set(late.map(({ t }) => t)).size).toBeGreaterThan(50);
  });

  it('are kept, and the attempt does not begin again, when the agent died before it knew that it had started it', async () => {
    await startAgent();
    const taskId = await world.assign({ command: sh('echo begun >> /output/stdout; echo begun; sleep 600') });
    const { containerId } = await world.started(taskId);
    await eventually(() => expect(witnessed(taskId, 'stdout')).toEqual(['begun']));
    await killAgent();
    addNote(join(attemptFolder(taskId), 'attempt.jsonl'), { state: { status: 'creating', containerId } });
    await startAgent();
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'infrastructure_error' });
    expect(await storedOf(taskId, 'stdout')).toEqual(['begun']);
  });

  it('take no more of the disk than they may: the task waits, and nothing is missing', async () => {
    await startAgent({ GANTRY_WORKER_SPOOL_SIZE: '512k' });
    const count = 400_000;
    const taskId = await world.assign({ command: sh(`echo go; sleep 0.5; seq 1 ${count}; echo end > /output/end`) });
    await eventually(async () => expect(await storedOf(taskId, 'stdout')).toEqual(['go']));
    process.kill(world.nats.pid, 'SIGSTOP');
    let seen = 0;
    await eventually(
      async () => {
        const before = seen;
        seen = spooledBytes(taskId);
        expect(seen).toBeGreaterThan(400 * 1024);
        await pause(300);
        expect(seen).toBe(before);
      },
      { timeoutMs: 30_000 },
    );
    expect(seen).toBeLessThan(1024 * 1024);
    expect(() => witnessed(taskId, 'end')).toThrow('ENOENT');
    process.kill(world.nats.pid, 'SIGCONT');
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'exited', exitCode: 0 });
    const out = await storedOf(taskId, 'stdout');
    expect(out).toHaveLength(count + 1);
    expect(out.findIndex((text, index) => index > 0 && text !== String(index))).toBe(-1);
  });

  it('are said to be lost, and the attempt fails, when the process that keeps them is killed', async () => {
    await startAgent();
    const taskId = await world.assign({ command: sh('echo before; while true; do sleep 0.1; done') });
    await eventually(async () => expect(await storedOf(taskId, 'stdout')).toEqual(['before']));
    const writer = JSON.parse(readFileSync(join(attemptFolder(taskId), 'spool', 'writer.json'), 'utf8')) as {
      pid: number;
    };
    process.kill(writer.pid, 'SIGKILL');
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'infrastructure_error' });
    expect(await storedOf(taskId, 'system')).toContainEqual(expect.stringContaining('the last of it is lost'));
    // The next one has another keeper.
    const next = await world.assign({ command: sh('echo next') });
    expect(await world.exitOf(next)).toMatchObject({ outcome: 'exited', exitCode: 0 });
    expect(await storedOf(next, 'stdout')).toEqual(['next']);
  });

  it('do not keep a task alive that is to be killed while the process that keeps them waits for its disk', async () => {
    await startAgent();
    const taskId = await world.assign({ command: printing });
    await eventually(async () => expect((await storedOf(taskId, 'stdout')).length).toBeGreaterThan(1));
    const writer = JSON.parse(readFileSync(join(attemptFolder(taskId), 'spool', 'writer.json'), 'utf8')) as {
      pid: number;
    };
    process.kill(writer.pid, 'SIGSTOP');
    try {
      await world.revoke(taskId, { graceMs: 0 });
      let seen = 0;
      await eventually(async () => {
        seen = witnessed(taskId, 'stdout').length;
        await pause(300);
        expect(witnessed(taskId, 'stdout')).toHaveLength(seen);
      });
    } finally {
      process.kill(writer.pid, 'SIGCONT');
    }
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'cancelled', exitCode: 137 });
  });

  it('leave no process behind when the agent is gone', async () => {
    await startAgent();
    const taskId = await world.assign({ command: printing });
    await eventually(async () => expect((await storedOf(taskId, 'stdout')).length).toBeGreaterThan(1));
    const file = join(attemptFolder(taskId), 'spool', 'writer.json');
    const { pid } = JSON.parse(readFileSync(file, 'utf8')) as { pid: number };
    const spooler = identityOf(pid);
    if (spooler === undefined) throw new Error('The spooler does not run.');
    await killAgent();
    await eventually(() => expect(isAlive(spooler)).toBe(false));
    expect(() => statSync(file)).toThrow('ENOENT');
    await startAgent();
    await world.exitOf(taskId);
  });

  it('need no agent that is alive for their keeper to end, however early it died', async () => {
    const spooler = fork(compiledPrograms().spooler);
    const ended = once(spooler, 'exit');
    await once(spooler, 'spawn');
    spooler.disconnect();
    expect(await ended).toEqual([0, null]);
  });
});
