import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LogLine, logChunkSchema } from '@gantry/contracts/agents/log-chunk';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { connectNats } from '@gantry/jetstream/connect';
import { ensureStream, manager } from '@gantry/jetstream/stream-admin';
import { systemClock } from '@gantry/kernel/clock';
import { createLogger } from '@gantry/nest-platform/logger';
import { type NatsServerFixture, startNatsServer } from '@gantry/testing/nats-server.fixture';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RawLine } from '../domain/logs/raw-line.js';
import { AgentStore, attemptKey } from './agent-store.js';
import type { LogPipeline } from './log-pipeline.js';
import { openLog } from './open-log.js';

const logger = createLogger('test', { level: 'silent', format: 'json' });
const printed = Array.from({ length: 12 }, (_, index): RawLine => ({
  stream: index % 3 === 0 ? 'stderr' : 'stdout',
  t: index,
  text: `line ${index}`,
  partial: false,
}));
const OWN_BEFORE = 5;

describe('a log whose checkpoint was damaged while the agent was away', () => {
  let nats: NatsServerFixture;
  let nc: NatsConnection;
  let folder: string;
  let life: AbortController;

  beforeAll(async () => {
    folder = temporaryFolder('gantry-open-log');
    nats = await startNatsServer();
    nc = await connectNats({ url: nats.url, name: 'test' });
    await ensureStream(nc, streams.logs);
  });

  afterAll(async () => {
    await nc?.close();
    await nats?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (taskId: string): Promise<LogPipeline> => {
    life = new AbortController();
    const store = new AgentStore(folder, undefined, 0, (error) => {
      throw error;
    });
    mkdirSync(join(folder, 'attempts', attemptKey(taskId, 1)), { recursive: true });
    const parts = { nc, store, clock: systemClock, workerId: 'w', linesPerSecond: 0, logger, signal: life.signal };
    return openLog(parts, { taskId, attempt: 1 });
  };

  const damage = (taskId: string, text: string): void =>
    writeFileSync(join(folder, 'attempts', attemptKey(taskId, 1), 'log.json'), text);

  /** The engine gives it from the place on that is asked for; here only its beginning is ever asked for. */
  const read = async (log: LogPipeline, lines: readonly RawLine[]): Promise<void> => {
    for (const [index, line] of lines.entries())
      await log.write([line], { stdout: { seconds: 1, nanos: 0, count: index + 1 } });
  };

  const stored = async (taskId: string): Promise<LogLine[]> => {
    const jsm = await manager(nc);
    const lines: LogLine[] = [];
    for (let next = 1; ;) {
      const query = { seq: next, next_by_subj: subjects.logs('w', taskId) };
      const message = await jsm.streams.getMessage(streams.logs.name, query);
      if (message === null) return lines;
      lines.push(...logChunkSchema.parse(message.json()).lines);
      next = message.seq + 1;
    }
  };

  it.each(['', '{"version":1,"cursor":{}}', '\0\0\0\0'])(
    'goes on without loss or repetition after what the stream has (%j)',
    async (text) => {
      for (const crash of [0, 3, OWN_BEFORE, 9, printed.length]) {
        const taskId = `t${crash}-${text.length}`;
        const before = await open(taskId);
        await read(before, printed.slice(0, Math.min(crash, OWN_BEFORE)));
        if (crash > OWN_BEFORE) {
          await before.system('from the agent');
          await read(before, printed.slice(OWN_BEFORE, crash));
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
        life.abort();
        damage(taskId, text);

        // A second damage, or none, is no different from the first.
        for (const again of [true, false]) {
          const after = await open(taskId);
          expect(after.startCursor).toEqual({});
          if (again) {
            life.abort();
            damage(taskId, text);
            continue;
          }
          await read(after, printed);
          await after.end();
        }
        const lines = await stored(taskId);
        expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, index) => index + 1));
        const engines = lines.filter(({ stream }) => stream !== 'system');
        expect(engines.map((line) => line.text)).toEqual(printed.map((line) => line.text));
        for (const stream of ['stdout', 'stderr'])
          expect(engines.filter((line) => line.stream === stream).map(({ n }) => n)).toEqual(
            printed.filter((line) => line.stream === stream).map((_, index) => index + 1),
          );
        expect(lines.length - engines.length).toBe(crash > OWN_BEFORE ? 1 : 0);
      }
    },
  );

  it('is written down anew, so that the next life reads on from where this one was', async () => {
    const before = await open('renewed');
    await read(before, printed.slice(0, 4));
    await before.system('own');
    life.abort();
    damage('renewed', 'x');
    const between = await open('renewed');
    // Nothing new yet: what is written down still begins at the first line.
    await read(between, printed.slice(0, 2));
    await between.system('own, later');
    life.abort();
    const after = await open('renewed');
    expect(after.startCursor).toEqual({});
    await read(after, printed);
    await after.end();
    const texts = (await stored('renewed')).map(({ text }) => text);
    expect(texts).toEqual([
      ...printed.slice(0, 4).map(({ text }) => text),
      'own',
      'own, later',
      ...printed.slice(4).map(({ text }) => text),
    ]);
  });
});
