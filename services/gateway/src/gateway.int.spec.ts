import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '@gantry/testing/eventually';
import { bearer, collect, graphql, subscriber } from './testing/api-client.js';
import { ADMIN_ID, OTHER_ID, World } from './testing/world.fixture.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(async () => {
  await world.stop();
});

describe('tasks over GraphQL', () => {
  it('submits, lists and shows a task to its owner only', async () => {
    const token = await world.token();
    const submitted = await graphql(
      world.url,
      'mutation ($input: SubmitTaskInput!) { submitTask(input: $input) { queuePosition duplicate task { id status env { key value } resources { cpu } } } }',
      { token, variables: { input: { name: 'hello', image: 'busybox', env: [{ key: 'A', value: '1' }] } } },
    );
    expect(submitted.errors).toBeUndefined();
    const { task } = submitted.data?.['submitTask'] as { task: { id: string } };
    expect(task).toMatchObject({ status: 'queued', env: [{ key: 'A', value: '1' }], resources: { cpu: 1 } });

    const list = await graphql(world.url, '{ tasks { degraded edges { node { id name } } } }', { token });
    expect(list.data?.['tasks']).toMatchObject({ degraded: false });
    expect(JSON.stringify(list.data)).toContain(task.id);

    const stranger = await graphql(world.url, 'query ($id: ID!) { task(id: $id) { id } }', {
      token: await world.token({ userId: OTHER_ID }),
      variables: { id: task.id },
    });
    expect(stranger.errors?.[0]?.extensions).toMatchObject({
      code: 'TASK.NOT_FOUND',
      kind: 'not_found',
      retryable: false,
    });

    const admin = await graphql(world.url, 'query ($id: ID!) { task(id: $id) { id history { type version } } }', {
      token: await world.token({ userId: ADMIN_ID, role: 'admin' }),
      variables: { id: task.id },
    });
    expect(admin.data?.['task']).toEqual({ id: task.id, history: [{ type: 'TaskSubmitted', version: 1 }] });
  });

  it('takes a lease and the memory of retries, over GraphQL and over REST, within their bounds', async () => {
    const token = await world.token();
    const given = { retryMemoryFactor: 2.5, retryMemoryMaxMb: 4_096, leaseSeconds: 86_400 };
    const mutation =
      'mutation ($input: SubmitTaskInput!) { submitTask(input: $input) { task { retryMemoryFactor retryMemoryMaxMb leaseSeconds memoryMb } } }';
    const submit = (extra: object) =>
      graphql(world.url, mutation, { token, variables: { input: { name: 'train', image: 'busybox', ...extra } } });
    expect((await submit(given)).data?.['submitTask']).toEqual({ task: { ...given, memoryMb: null } });
    expect((await submit({})).data?.['submitTask']).toEqual({
      task: { retryMemoryFactor: null, retryMemoryMaxMb: null, leaseSeconds: null, memoryMb: null },
    });

    const refused = await submit({ retryMemoryFactor: 5, retryMemoryMaxMb: 1, leaseSeconds: 14 });
    expect(refused.errors?.[0]?.extensions['fields']).toMatchObject([
      { path: 'retryMemoryFactor' },
      { path: 'retryMemoryMaxMb' },
      { path: 'leaseSeconds', message: 'Give at least 15 s: a lease must outlast a lost heartbeat.' },
    ]);
    const response = await fetch(`${world.url}/api/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...bearer(token) },
      body: JSON.stringify({ name: 'train', image: 'busybox', ...given }),
    });
    expect(((await response.json()) as { task: { spec: object } }).task.spec).toMatchObject(given);
  });

  it('names the wrong field as the caller wrote it', async () => {
    const reply = await graphql(
      world.url,
      'mutation { submitTask(input: { name: "x", image: "BAD IMAGE", resources: { cpu: -1 } }) { duplicate } }',
      {
        token: await world.token(),
      },
    );
    const { extensions } = reply.errors?.[0] ?? {};
    expect(extensions).toMatchObject({ code: 'INPUT.INVALID', kind: 'invalid' });
    expect((extensions?.['fields'] as { path: string }[]).map(({ path }) => path).sort()).toEqual([
      'image',
      'resources.cpu',
    ]);
  });
});

describe('live', () => {
  it('sends a task at once and then every change', async () => {
    const { id } = await world.addTask();
    const client = subscriber(world.url, await world.token());
    const seen = collect<{ task: { status: string; version: number } }>(
      client,
      'subscription ($id: ID!) { task(id: $id) { status version } }',
      { id },
    );
    await eventually(() => expect(seen.values).toHaveLength(1));
    await world.start(id);
    await world.succeed(id);
    await eventually(() => expect(seen.values.at(-1)?.task).toEqual({ status: 'succeeded', version: 3 }));
    const versions = seen.values.map(({ task }) => task.version);
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    await client.dispose();
  });

  it('sends log lines without gap or repeat, from history, stream and live, and ends with the task', async () => {
    const { id } = await world.addTask();
    await world.start(id);
    await world.addLog(id, [1, 2, 3]);
    const client = subscriber(world.url, await world.token());
    const seen = collect<{ taskLogs: { lines: { seq: number }[]; complete: boolean } }>(
      client,
      'subscription ($id: ID!) { taskLogs(taskId: $id, afterSeq: 1) { attempt complete lines { seq text partial } } }',
      { id },
    );
    await eventually(() =>
      expect(seen.values.flatMap(({ taskLogs }) => taskLogs.lines.map(({ seq }) => seq))).toEqual([2, 3]),
    );
    await world.addLog(id, [3, 4, 5]);
    await world.succeed(id);
    await world.addLog(id, [6], { end: true });
    await eventually(() => expect(seen.state.done).toBe(true));
    expect(seen.errors).toEqual([]);
    expect(seen.values.flatMap(({ taskLogs }) => taskLogs.lines.map(({ seq }) => seq))).toEqual([2, 3, 4, 5, 6]);
    expect(seen.values.at(-1)?.taskLogs.complete).toBe(true);
    await client.dispose();
  });
});

describe('artifacts', () => {
  it('downloads a whole file and ranges of it, by header or by ticket', async () => {
    const { id } = await world.addTask();
    world.artifactBytes = randomBytes(1_500_000);
    const sha256 = createHash('sha256').update(world.artifactBytes).digest('hex');
    const artifact = {
      id: randomUUID(),
      attempt: 1,
      path: 'out/result.bin',
      sizeBytes: 1_500_000,
      sha256,
      mediaType: 'text/html',
      storedAt: 1,
    };
    await world.addEvents(id, { type: 'ArtifactStored', data: { artifact } });
    const token = await world.token();
    const path = `${world.url}/api/tasks/${id}/files/${artifact.id}`;

    const whole = await fetch(path, { headers: bearer(token) });
    expect(whole.status).toBe(200);
    expect(whole.headers.get('content-type')).toBe('application/octet-stream');
    expect(whole.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
    expect(whole.headers.get('x-content-type-options')).toBe('nosniff');
    expect(
      createHash('sha256')
        .update(new Uint8Array(await whole.arrayBuffer()))
        .digest('hex'),
    ).toBe(sha256);

    const part = await fetch(path, { headers: { ...bearer(token), range: 'bytes=600000-1400000' } });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe('bytes 600000-1400000/1500000');
    expect(Buffer.from(await part.arrayBuffer()).equals(world.artifactBytes.subarray(600_000, 1_400_001))).toBe(true);

    const head = await fetch(path, { method: 'HEAD', headers: bearer(token) });
    expect([head.status, head.headers.get('content-length'), head.headers.get('etag')]).toEqual([
      200,
      '1500000',
      `"${sha256}"`,
    ]);
    expect((await fetch(path, { headers: { ...bearer(token), range: 'bytes=1500000-' } })).status).toBe(416);
    expect((await fetch(path, { headers: { ...bearer(token), 'if-none-match': `"${sha256}"` } })).status).toBe(304);

    const ticket = (await (await fetch(`${path}/ticket`, { method: 'POST', headers: bearer(token) })).json()) as {
      url: string;
    };
    const byTicket = await fetch(`${world.url}${ticket.url}`);
    expect([byTicket.status, (await byTicket.arrayBuffer()).byteLength]).toEqual([200, 1_500_000]);
    const elsewhere = ticket.url.replace(artifact.id, randomUUID());
    expect((await fetch(`${world.url}${elsewhere}`)).status).toBe(401);
    expect((await fetch(path, { headers: bearer(await world.token({ userId: OTHER_ID })) })).status).toBe(404);
  });
});
