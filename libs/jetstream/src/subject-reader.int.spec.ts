import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NatsConnection } from '@nats-io/transport-node';
import { connectNats } from './connect.js';
import { jetStreamOf } from './publisher.js';
import { ensureStream, manager } from './stream-admin.js';
import { SubjectReader } from './subject-reader.js';
import { counters } from './testing/counter-stream.js';
import { type NatsServerFixture, startNatsServer } from './testing/nats-server.fixture.js';

describe('SubjectReader', () => {
  let server: NatsServerFixture;
  let nc: NatsConnection;

  beforeEach(async () => {
    server = await startNatsServer();
    nc = await connectNats({ url: server.url, name: 'reader' });
    await ensureStream(nc, counters);
  });

  afterEach(async () => {
    await nc.close();
    await server.stop();
  });

  it('reads a long history whole though its reader in the broker vanishes', async () => {
    const bytes = randomBytes(20_000);
    for (let n = 0; n < 2_000; n += 200)
      await Promise.all(Array.from({ length: 200 }, () => jetStreamOf(nc).publish('counters.a', bytes)));
    const jsm = await manager(nc);
    let deleted: string | undefined;
    const deleting = (async () => {
      while (deleted === undefined) {
        const [found] = await jsm.consumers.list(counters.name).next();
        if (found !== undefined && (await jsm.consumers.delete(counters.name, found.name))) deleted = found.name;
        await setImmediate();
      }
    })();
    const history = await new SubjectReader(nc, counters.name).readAll('counters.a');
    await deleting;
    expect(deleted).toContain('read_');
    expect(history.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 2_000 }, (_, n) => n + 1));
  });
});
