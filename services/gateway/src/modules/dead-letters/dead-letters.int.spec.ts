import { Controller, Module } from '@nestjs/common';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { getDeadLetter } from '@gantry/contracts/messaging/dead-letters';
import { streams } from '@gantry/contracts/messaging/streams';
import { HandleStream } from '@gantry/jetstream/nest/decorators';
import { type RunningService, startService } from '@gantry/jetstream/nest/start-service';
import { publishJson } from '@gantry/jetstream/publisher';
import { ensureStream } from '@gantry/jetstream/stream-admin';
import { GantryError } from '@gantry/kernel/gantry-error';
import { readBaseEnvironment } from '@gantry/nest-platform/environment';
import { eventually } from '@gantry/testing/eventually';
import { bearer, graphql } from '../../testing/api-client.js';
import { World } from '../../testing/world.fixture.js';

const handled: string[] = [];
let mended = false;

@Controller()
class SchedConsumer {
  @HandleStream({ stream: streams.sched, durable: 'sample' })
  take({ subject }: { subject: string }): Promise<void> {
    if (!mended) throw new GantryError('SAMPLE.BUG', 'invalid', 'This version cannot read it.');
    handled.push(subject);
    return Promise.resolve();
  }
}
@Module({ controllers: [SchedConsumer] })
class SampleModule {}

interface Page {
  deadLetters: { id: string; reason: string; subject: string }[];
  next: string | null;
}

let world: World;
let service: RunningService | undefined;
let token: string;

beforeAll(async () => {
  world = await World.start();
  token = await world.token({ role: 'admin' });
  await ensureStream(world.nc, streams.sched);
  service = await startService({
    name: 'sample',
    module: SampleModule,
    environment: readBaseEnvironment({ NATS_URL: world.nats.url, LOG_LEVEL: 'silent' }),
  });
});
afterAll(async () => {
  await service?.stop();
  await world.stop();
});

const rest = async (method: string, path: string): Promise<{ status: number; body: unknown }> => {
  const response = await fetch(`${world.url}/api/admin/dead-letters${path}`, { method, headers: bearer(token) });
  return { status: response.status, body: await response.json() };
};
const open = (count: number) =>
  eventually(async () => {
    const { deadLetters } = (await rest('GET', '')).body as Page;
    expect(deadLetters).toHaveLength(count);
    return deadLetters;
  });

it('shows what no handler could process and replays it through the handler, by GraphQL and by REST', async () => {
  for (const name of ['a', 'b', 'c']) await publishJson(world.nc, `sched.test.${name}`, { name });
  const [c, b, a] = await open(3);
  expect(c).toMatchObject({ reason: 'This version cannot read it.', subject: 'sched.test.c' });
  expect((await rest('GET', `/${a?.id}`)).body).toMatchObject({ payload: '{"name":"a"}', consumer: 'sample' });
  expect(await rest('POST', `/${a?.id}/replay`)).toMatchObject({
    status: 409,
    body: { error: { code: 'DEAD_LETTER.FAILED_AGAIN' } },
  });

  mended = true;
  expect(await rest('POST', `/${a?.id}/replay`)).toMatchObject({ status: 200, body: { state: 'replayed' } });
  const replayed = await graphql(world.url, `mutation { replayDeadLetter(id: "${b?.id}") { state resolvedBy } }`, {
    token,
  });
  expect(replayed.data).toEqual({ replayDeadLetter: { state: 'replayed', resolvedBy: 'Ada' } });
  expect(handled).toEqual(['sched.test.a', 'sched.test.b']);

  expect(await rest('DELETE', `/${c?.id}`)).toMatchObject({ status: 200, body: { state: 'discarded' } });
  const page = await graphql(world.url, '{ deadLetters(state: "all", limit: 2) { deadLetters { id state } next } }', {
    token,
  });
  expect(page.data).toMatchObject({ deadLetters: { deadLetters: [{ id: c?.id }, { id: b?.id }], next: b?.id } });
  await open(0);
});

it('says which consumer is away', async () => {
  mended = false;
  await publishJson(world.nc, 'sched.test.d', {});
  const [letter] = await open(1);
  const detail = await rest('GET', `/${letter?.id}`);
  await service?.stop();
  service = undefined;
  const { services } = world;
  services.on(getDeadLetter, () => getDeadLetter.output.parse(detail.body));
  expect(await rest('POST', `/${letter?.id}/replay`)).toMatchObject({
    status: 503,
    body: { error: { code: 'DEAD_LETTER.CONSUMER_AWAY', retryable: true } },
  });
});

it('refuses an id that is none', async () => {
  expect(await rest('GET', '/abc')).toMatchObject({ status: 400, body: { error: { code: 'INPUT.INVALID' } } });
});
