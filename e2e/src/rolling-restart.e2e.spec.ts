import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GantryClient, isFinished, type Task } from '@gantry/client/gantry-client';
import { adminEmail, adminPassword, GantrySystem } from '@gantry/testing/gantry-system.fixture';

const IMAGE = 'gantry/demo:latest';
const SUBMIT_EVERY_MS = 400;
const READ_EVERY_MS = 150;
const small = { cpu: 0.05, memoryMb: 16, storageMb: 16 };
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Two of each service; users work through the SDK, which knows both gateways, while each process is restarted in its turn. */
describe('a rolling restart under load', () => {
  let system: GantrySystem;
  /** Each prefers another gateway, so that what one writes the other reads elsewhere. */
  let writer: GantryClient;
  let reader: GantryClient;
  let loading = true;
  const failures: string[] = [];
  let slowestMs = 0;
  let calls = 0;

  const call = async <T>(what: string, work: () => Promise<T>): Promise<T | undefined> => {
    const began = performance.now();
    try {
      return await work();
    } catch (error) {
      failures.push(`${what} after ${Math.round(performance.now() - began)} ms: ${String(error)}`);
      return undefined;
    } finally {
      calls += 1;
      slowestMs = Math.max(slowestMs, performance.now() - began);
    }
  };

  const submitAll = async (): Promise<string[]> => {
    const ids: string[] = [];
    const checks: Promise<unknown>[] = [];
    while (loading) {
      const name = `rolling ${ids.length}`;
      const input = { name, image: IMAGE, command: ['echo', name], tags: ['rolling'], resources: small };
      const submitted = await call('submit', () => writer.submitTask(input));
      if (submitted !== undefined) {
        const { id } = submitted.task;
        ids.push(id);
        checks.push(call('read what was just submitted', () => reader.task(id)));
      }
      await sleep(SUBMIT_EVERY_MS);
    }
    await Promise.all(checks);
    return ids;
  };

  const readAll = async (): Promise<void> => {
    while (loading) {
      await call('list', () => reader.tasks({ first: 20 }));
      await call('workers', () => writer.workers());
      await call('me', () => reader.me());
      await sleep(READ_EVERY_MS);
    }
  };

  const followTicks = async (taskId: string): Promise<string[]> => {
    const lines: string[] = [];
    for await (const batch of reader.followLogs(taskId))
      for (const { stream, text } of batch.lines) if (stream === 'stdout') lines.push(text);
    return lines;
  };

  const untilEnded = async (id: string): Promise<Task> => {
    for await (const task of reader.followTask(id)) if (isFinished(task)) return task;
    return reader.task(id);
  };

  beforeAll(async () => {
    system = await GantrySystem.create({ replicas: 2 });
    await system.start();
    const [first = '', second = ''] = system.apiUrls;
    const token = await new GantryClient({ apiUrl: first }).logIn(adminEmail, adminPassword);
    const admin = new GantryClient({ apiUrl: second, credentials: () => token.accessToken });
    const { key } = await admin.createApiKey('rolling');
    writer = new GantryClient({ apiUrl: `${first},${second}`, credentials: () => key });
    reader = new GantryClient({ apiUrl: `${second},${first}`, credentials: () => key });
  });

  afterAll(async () => {
    await Promise.all([writer?.close(), reader?.close()]);
    await system.stop();
    system.remove();
  });

  it('fails no request, loses and doubles no task, and breaks no live log', { timeout: 400_000 }, async () => {
    const ticker = await writer.submitTask({
      name: 'ticker',
      image: IMAGE,
      command: ['sh', '-c', 'i=0; while true; do i=$((i+1)); echo $i; sleep 0.1; done'],
      resources: small,
    });
    const ticks = followTicks(ticker.task.id);
    const load = Promise.all([submitAll(), readAll()]);

    const seconds = await system.restartServices();

    loading = false;
    const [ids] = await load;
    const ended = await Promise.all(ids.map(untilEnded));
    await writer.cancelTask(ticker.task.id, { graceSeconds: 0 });
    const lines = await ticks;
    const summary = `${ids.length} tasks, ${calls} calls, slowest ${Math.round(slowestMs)} ms, ${lines.length} live lines`;
    console.log(`rolling restart of 9 processes in ${seconds.toFixed(1)} s: ${summary}`);

    expect(failures).toEqual([]);
    expect(lines).toEqual(lines.map((_, index) => String(index + 1)));
    expect(lines.length).toBeGreaterThan(seconds * 2);
    expect(ended.filter(({ status, attempt }) => status !== 'succeeded' || attempt !== 1)).toEqual([]);
    for (const id of ids) {
      const types = (await reader.taskHistory(id)).map(({ type }) => type);
      for (const once of ['TaskSubmitted', 'TaskAssigned', 'TaskStarted', 'TaskSucceeded'])
        expect(types.filter((type) => type === once)).toEqual([once]);
    }
    const listed = new Set<string>();
    for (let after: string | undefined; ;) {
      const page = await reader.tasks({ filter: { tag: 'rolling' }, first: 100, ...(after ? { after } : {}) });
      for (const { node } of page.edges) listed.add(node.id);
      if (!page.pageInfo.hasNextPage) break;
      after = page.pageInfo.endCursor ?? undefined;
    }
    expect([...listed].sort()).toEqual([...ids].sort());
  });
});
