import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { streams } from '@gantry/contracts/messaging/streams';
import { publishBytes } from '@gantry/jetstream/publisher';
import { ensureStream, manager } from '@gantry/jetstream/stream-admin';
import { eventually } from '@gantry/testing/eventually';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compiledPrograms } from './testing/agent-process.js';
import { WorkerWorld } from './testing/worker-world.js';
import { WorkerAgent } from './worker-agent.js';

const LINES = 40;
const MARK = 'task-while-the-storage-is-full';
const filler = { ...streams.artifacts, name: 'FILLER', subjects: ['filler.>'] };

/** Processes of this machine with this text in their command line. */
const processesWith = (text: string): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
      } catch {
        return false;
      }
    });

/** Lets the task go on. Of its processes, those inside the sandbox see its /output. */
const release = (): void => {
  const inside = processesWith(MARK).filter((pid) => existsSync(`/proc/${pid}/root/output`));
  expect(inside).not.toEqual([]);
  for (const pid of inside) writeFileSync(`/proc/${pid}/root/output/go`, '');
};

describe('an agent whose broker has no room', () => {
  let world: WorkerWorld;
  let agent: WorkerAgent;

  beforeAll(async () => {
    world = await WorkerWorld.create({ limits: 'max_file_store: 4MB' });
    await ensureStream(world.nc, filler);
    agent = await WorkerAgent.start(
      world.settings({ GANTRY_WORKER_RUNTIME: 'process' }),
      world.logger(),
      compiledPrograms(),
    );
  });

  afterAll(async () => {
    await agent?.stop();
    await world?.stop();
  });

  const linesOf = async (taskId: string) =>
    (await world.storedLog(taskId)).lines.filter(({ stream }) => stream === 'stdout').map(({ text }) => text);

  /** Until nothing more fits, not even a short report. */
  const fill = async (): Promise<void> => {
    for (let size = 64 * 1024; size >= 1;) {
      const stored = await publishBytes(world.nc, 'filler.x', new Uint8Array(size), { timeoutMs: 5_000 }).then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject({ code: 'STORE.FULL' });
          return false;
        },
      );
      if (!stored) size = Math.floor(size / 4);
    }
  };

  it('keeps what a task printed and how it ended until there is room again', async () => {
    const taskId = await world.assign({
      command: [
        'sh',
        '-c',
        `: ${MARK}; say() { i=0; while [ $i -lt ${LINES / 2} ]; do i=$((i+1)); n=$((n+1)); echo line $n; sleep 0.05; done; }
        say; while [ ! -e /output/go ]; do sleep 0.05; done; say; exit 3`,
      ],
    });
    await world.started(taskId);
    await eventually(async () => expect(await linesOf(taskId)).toContain('line 1'));
    await fill();
    release();
    await eventually(() => expect(processesWith(MARK)).toEqual([]), { timeoutMs: 30_000 });
    // Heartbeats are in memory and go on: nobody takes the worker for lost.
    const before = world.heartbeats.length;
    await eventually(() => expect(world.heartbeats.length).toBeGreaterThan(before), { timeoutMs: 15_000 });
    expect(world.reportsOf(taskId).some(({ type }) => type === 'exited')).toBe(false);
    const duringFull = await linesOf(taskId);
    expect(duringFull.length).toBeLessThan(LINES);

    await (await manager(world.nc)).streams.purge(filler.name);
    expect(await world.exitOf(taskId)).toMatchObject({ outcome: 'exited', exitCode: 3 });
    expect(await linesOf(taskId)).toEqual(Array.from({ length: LINES }, (_, index) => `line ${index + 1}`));
    expect((await world.storedLog(taskId)).ends).toBe(1);
  });
});
