import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { streams, type StreamDefinition } from '@gantry/contracts/messaging/streams';
import { type CounterEvent, counterCommit } from '@gantry/event-sourcing/testing/commit-builder';
import { readBaseEnvironment } from '@gantry/nest-platform/environment';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterEach, expect, it } from 'vitest';
import { JetStreamEventStore } from './jetstream-event-store.js';
import { createPlatform, type Platform } from './nest/create-platform.js';
import { publishBytes, publishJson } from './publisher.js';
import { ensureStream, manager } from './stream-admin.js';
import { eventually } from './testing/eventually.js';
import { type NatsServerFixture, startNatsServer } from './testing/nats-server.fixture.js';
import { temporaryFolder } from './testing/temporary-folder.js';

const reports: StreamDefinition = { ...streams.reports, maxBytes: -1 };
const filler: StreamDefinition = { ...streams.artifacts, name: 'FILLER', subjects: ['filler.>'] };
const block = new Uint8Array(64 * 1024);
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(
  options: Parameters<typeof startNatsServer>[0],
): Promise<{ server: NatsServerFixture; nc: NatsConnection; platform: Platform }> {
  const server = await startNatsServer(options);
  cleanups.push(() => server.stop());
  const environment = readBaseEnvironment({ NATS_URL: server.url, LOG_LEVEL: 'silent' });
  const platform = await createPlatform({ name: 'test', environment });
  cleanups.push(() => platform.nc.close());
  for (const stream of [streams.tasks, reports, filler]) await ensureStream(platform.nc, stream);
  return { server, nc: platform.nc, platform };
}

/** Appends until the store refuses; gives the sequences that were acknowledged and the refusal. */
async function fill(append: (n: number) => Promise<{ sequence: number }>) {
  const acknowledged: number[] = [];
  for (let n = 0; n < 2_000; n += 1) {
    try {
      acknowledged.push((await append(n)).sequence);
    } catch (refusal) {
      return { acknowledged, refusal };
    }
  }
  throw new Error('the storage never got full');
}

const stillThere = async (nc: NatsConnection, stream: string, sequences: readonly number[]): Promise<void> => {
  const jsm = await manager(nc);
  const found = await Promise.all(sequences.map((seq) => jsm.streams.getMessage(stream, { seq })));
  expect(found.filter((message) => message === null)).toEqual([]);
};

it('a file limit of the broker: a command is told what to do, a report waits, and both go on without a restart', async () => {
  const { nc, platform } = await start({ limits: 'max_file_store: 8MB' });
  const { acknowledged, refusal } = await fill((n) => publishBytes(nc, `filler.${n}`, block, { timeoutMs: 5_000 }));
  expect(refusal).toMatchObject({ code: 'STORE.FULL', kind: 'unavailable', retryable: true });
  const store = new JetStreamEventStore<CounterEvent>(nc, streams.tasks);
  const large = counterCommit('1', 1, { correlationId: 'x'.repeat(200_000) });
  await expect(store.append('tasks.0.1', large, 0)).rejects.toMatchObject({ code: 'STORE.FULL' });
  expect(platform.health.report()).toMatchObject({
    status: 'unhealthy',
    reasons: [expect.stringContaining('storage: the broker has no room')],
  });

  let stored = false;
  const waiting = publishJson(nc, 'report.w.1', { text: 'x'.repeat(200_000) }).then(() => (stored = true));
  await stillThere(nc, filler.name, acknowledged);
  expect(stored).toBe(false);
  await (await manager(nc)).streams.purge(filler.name);
  await waiting;
  expect((await store.append('tasks.0.1', large, 0)).streamSequence).toBe(1);
  expect(platform.health.report()).toMatchObject({ status: 'healthy', reasons: [] });
});

it('a memory limit of the broker refuses heartbeats and spares what is on disk', async () => {
  const { nc } = await start({ limits: 'max_memory_store: 1MB' });
  await ensureStream(nc, { ...streams.fleet, maxMessagesPerSubject: -1, discard: 'new' });
  const { refusal } = await fill((n) => publishBytes(nc, `fleet.w${n}`, block, { timeoutMs: 5_000 }));
  expect(refusal).toMatchObject({ code: 'STORE.FULL', retryable: true });
  expect((await publishJson(nc, 'report.w.1', {}, { timeoutMs: 5_000 })).sequence).toBe(1);
});

it('a full disk: what was accepted is there after the broker was started again with room, and what waited gets through', async () => {
  const disk = temporaryFolder('gantry-disk');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk]);
  cleanups.push(() => void execFileSync('umount', ['-l', disk]));
  const ballast = join(disk, 'ballast');
  const { server, nc, platform } = await start({ storeDir: join(disk, 'store'), limits: 'max_file_store: 1GB' });
  writeFileSync(ballast, Buffer.alloc(14 * 1024 * 1024));
  const { acknowledged, refusal } = await fill((n) => publishBytes(nc, `filler.${n}`, block, { timeoutMs: 4_000 }));
  // Newer brokers say so; 2.9.10 goes silent, with the connection open.
  expect((refusal as { code: string }).code).toMatch(/^(STORE\.FULL|BROKER\.UNAVAILABLE)$/);
  expect(refusal).toMatchObject({ retryable: true });
  const waiting = publishJson(nc, 'report.w.1', { kept: true }, { msgId: 'report-1' });
  await eventually(() => expect(platform.health.report().reasons.join()).toContain('storage: '), { timeoutMs: 30_000 });

  rmSync(ballast);
  await server.restart();
  expect((await waiting).duplicate).toBe(false);
  await stillThere(nc, filler.name, acknowledged);
  expect((await publishBytes(nc, 'filler.last', block, { timeoutMs: 10_000 })).sequence).toBeGreaterThan(
    acknowledged.at(-1) ?? 0,
  );
  expect(platform.health.report().status).toBe('healthy');
}, 60_000);
