import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GantryClient, isFinished, type Task } from '@gantry/client/gantry-client';
import { adminEmail, adminPassword, gantryCommand, GantrySystem } from '@gantry/testing/gantry-system.fixture';
import { eachOf } from './each-of.js';

const IMAGE = 'gantry/demo:latest';
const LINES = 100_000;
/** What a task prints that counts to it: even numbers to stdout, odd ones to stderr. Order holds within each, not between the two. */
const even = Array.from({ length: LINES / 2 }, (_, index) => `line ${2 * index + 2}`);
const odd = Array.from({ length: LINES / 2 }, (_, index) => `line ${2 * index + 1}`);
const MANY = 200;
/** Two cores start some four containers a second, beside whatever else they do. */
const MANY_TIMEOUT_MS = 400_000;

/** Everything a newcomer does from the command line, on the real system, then all of it again after a restart. */
describe('the tour, from the command line', () => {
  let system: GantrySystem;
  let client: GantryClient;
  const finished = new Map<string, string>();

  const gantry = (...args: string[]) => gantryCommand(system, args);
  const runJson = async (...args: string[]): Promise<{ code: number; task: Task; stderr: string }> => {
    const { code, stdout, stderr } = await gantry('run', '--image', IMAGE, '--json', ...args);
    const task = JSON.parse(stdout) as Task;
    finished.set(task.id, task.status);
    return { code, task, stderr };
  };
  /** Ids of the short tasks that the list shows as succeeded, in order. */
  const listShort = async (): Promise<string[]> => {
    const { stdout, stderr } = await gantry(
      'list',
      '--tag',
      'short',
      '--status',
      'succeeded',
      '--limit',
      '200',
      '--json',
    );
    expect(stderr).toBe('');
    return (JSON.parse(stdout) as Task[]).map(({ id }) => id).sort();
  };
  const waitFor = async (id: string, reached: (task: Task) => boolean): Promise<Task> => {
    for await (const task of client.followTask(id)) if (reached(task)) return task;
    return client.task(id);
  };

  beforeAll(async () => {
    system = await GantrySystem.create();
    await system.start();
    const token = await new GantryClient({ apiUrl: system.apiUrl }).logIn(adminEmail, adminPassword);
    const { key } = await new GantryClient({
      apiUrl: system.apiUrl,
      credentials: () => token.accessToken,
    }).createApiKey('e2e');
    client = new GantryClient({ apiUrl: system.apiUrl, credentials: () => key });
  });

  afterAll(async () => {
    await client?.close();
    await system.stop();
    system.remove();
  });

  it('logs in and shows who it is', async () => {
    const login = await gantryCommand(system, ['login', '--email', adminEmail], { GANTRY_PASSWORD: adminPassword });
    expect(login.stderr).toBe('');
    expect(login.code).toBe(0);
    expect((await gantry('whoami')).stdout).toContain(adminEmail);
    expect((await gantry('workers')).stdout).toContain('active');
  });

  it('refuses a stranger', async () => {
    const refused = await gantryCommand(system, ['list'], {
      GANTRY_API_KEY: 'gtk_wrong_key',
      GANTRY_CONFIG: '/nonexistent',
    });
    expect(refused.code).toBe(77);
    expect(refused.stderr).toMatch(/\[AUTH\./);
  });

  it('prints what a task prints and ends with its exit code', async () => {
    const hello = await gantry('run', '--image', IMAGE, '--', 'sh', '-c', 'echo out; echo err >&2');
    expect(hello.stdout).toBe('out\n');
    expect(hello.stderr).toContain('err\n');
    expect(hello.code).toBe(0);
  });

  it(`(a) keeps every one of ${LINES} lines in order per stream, and a 50 MB file whole`, async () => {
    const script = [
      `i=1; while [ $i -le ${LINES} ]; do if [ $((i % 2)) = 0 ]; then echo "line $i"; else echo "line $i" >&2; fi; i=$((i+1)); done`,
      'dd if=/dev/urandom of=/output/data.bin bs=1M count=50 2>/dev/null',
      'sha256sum /output/data.bin > /output/sum.txt',
    ].join('; ');
    const { stdout, stderr, code } = await gantry('run', '--image', IMAGE, '--name', 'lines', '--', 'sh', '-c', script);
    expect(stdout.trimEnd().split('\n')).toEqual(even);
    expect(stderr.split('\n').filter((line) => line.startsWith('line '))).toEqual(odd);
    expect(code).toBe(0);

    const { edges } = await client.tasks({ filter: { search: 'lines' } });
    const id = edges[0]?.node.id ?? '';
    finished.set(id, 'succeeded');
    const folder = path.join(system.data, 'downloaded');
    const download = await gantry('download', id, '-o', folder);
    expect(download.code).toBe(0);
    const sum = createHash('sha256')
      .update(fs.readFileSync(path.join(folder, 'data.bin')))
      .digest('hex');
    expect(fs.statSync(path.join(folder, 'data.bin')).size).toBe(50 * 1024 * 1024);
    expect(fs.readFileSync(path.join(folder, 'sum.txt'), 'utf8')).toBe(`${sum}  /output/data.bin\n`);
  });

  it('(b) tells exit code 3', async () => {
    const { code, task } = await runJson('--', 'sh', '-c', 'exit 3');
    expect(task).toMatchObject({ status: 'failed', exitCode: 3, failure: { class: 'user_exit' } });
    expect(code).toBe(3);
  });

  it('(c) tells that the memory limit was exceeded', async () => {
    const { code, task } = await runJson('--memory', '32m', '--', 'sh', '-c', 'head -c 200m /dev/zero | tail');
    expect(task).toMatchObject({ status: 'failed', failure: { class: 'out_of_memory' } });
    expect(code).toBe(137);
  });

  it('(d) cancels a sleeping task', async () => {
    const { stdout } = await gantry('run', '--image', IMAGE, '--detach', '--', 'sleep', '600');
    const id = stdout.trim();
    await waitFor(id, (task) => task.status === 'running');
    expect((await gantry('cancel', id)).code).toBe(0);
    const task = await waitFor(id, isFinished);
    expect(task.status).toBe('cancelled');
    finished.set(id, 'cancelled');
  });

  it('(e) ends a task that outlives its time-out', async () => {
    const { code, task } = await runJson('--timeout', '2s', '--', 'sleep', '600');
    expect(task).toMatchObject({ status: 'timed_out', failure: { class: 'timeout' } });
    expect(code).toBe(124);
  });

  it('(f) keeps a task that asks for 1,000 CPUs in the queue and says why', async () => {
    const { stdout } = await gantry('run', '--image', IMAGE, '--detach', '--cpu', '1000', '--', 'true');
    const id = stdout.trim();
    const explanation = await gantry('explain', id);
    expect(explanation.stdout).toMatch(/1000 cores/);
    expect((await client.task(id)).status).toBe('queued');
    finished.set(id, 'queued');
  });

  it(
    `(g) runs ${MANY} short tasks submitted at once, each exactly once`,
    async () => {
      const startedAt = Date.now();
      const ids = await eachOf(MANY, 8, async (index) => {
        const options = ['--name', `short ${index}`, '--tag', 'short', '--cpu', '0.05', '--memory', '16m'];
        const { stdout, stderr } = await gantry(
          ...['run', '--image', IMAGE, '--detach', '--storage', '16m', ...options, '--', 'echo', String(index)],
        );
        expect(stderr).toBe('');
        return stdout.trim();
      });
      const submittedAfter = (Date.now() - startedAt) / 1_000;
      expect(new Set(ids).size).toBe(MANY);
      const ended = await Promise.all(ids.map((id) => waitFor(id, isFinished)));
      const seconds = (Date.now() - startedAt) / 1_000;
      console.log(
        `${MANY} short tasks: submitted in ${submittedAfter.toFixed(1)} s, ended after ${seconds.toFixed(1)} s`,
      );
      for (const [index, task] of ended.entries()) {
        expect(task).toMatchObject({ name: `short ${index}`, status: 'succeeded', attempt: 1 });
        finished.set(task.id, task.status);
        const { lines } = await client.taskLogs({ taskId: task.id });
        expect(lines.filter(({ stream }) => stream === 'stdout').map(({ text }) => text)).toEqual([String(index)]);
      }
      expect(await listShort()).toEqual([...ids].sort());
    },
    MANY_TIMEOUT_MS,
  );

  it('refuses bad input with a code and the wrong field, never with a server error', async () => {
    const bad = await gantry('run', '--image', 'NOT AN IMAGE', '--', 'true');
    expect(bad.code).toBe(64);
    expect(bad.stderr).toMatch(/image/);
    const missing = await gantry('status', '00000000-0000-7000-8000-000000000000');
    expect(missing.code).toBe(66);
    const response = await fetch(`${system.apiUrl}/api/tasks`, {
      method: 'POST',
      body: '{"broken',
      headers: { 'content-type': 'application/json' },
    });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
  });

  it('starts a part again that was killed, and the task in hand goes on', async () => {
    const { task } = await client.submitTask({
      name: 'survivor',
      image: IMAGE,
      command: ['sh', '-c', 'sleep 8; echo done'],
    });
    await waitFor(task.id, ({ status }) => status === 'running');
    for (const part of ['scheduler', 'tasks', 'worker']) process.kill(system.pidOf(part), 'SIGKILL');
    const ended = await waitFor(task.id, isFinished);
    expect(ended).toMatchObject({ status: 'succeeded', attempt: 1, exitCode: 0 });
    expect((await gantry('logs', task.id)).stdout).toBe('done\n');
    finished.set(task.id, ended.status);
  });

  it('stops within 10 s, starts again, and has every task, line and file', async () => {
    expect(await system.stop()).toBeLessThan(10);
    await system.start();
    for (const [id, status] of finished) expect((await client.task(id)).status, id).toBe(status);
    expect(await listShort()).toHaveLength(MANY);
    const { edges } = await client.tasks({ filter: { search: 'lines' } });
    const task = edges[0]?.node;
    expect(task?.artifacts.map(({ path: name }) => name).sort()).toEqual(['data.bin', 'sum.txt']);
    const log = await gantry('logs', task?.id ?? '');
    expect(log.stdout.trimEnd().split('\n')).toEqual(even);
    expect(log.stderr.trimEnd().split('\n')).toEqual(odd);
    const tail = await gantry('logs', task?.id ?? '', '--tail', '7');
    expect(`${tail.stdout}${tail.stderr}`.trimEnd().split('\n')).toHaveLength(7);
    const again = await gantry('download', task?.id ?? '', 'sum.txt', '-o', path.join(system.data, 'again'));
    expect(again.code).toBe(0);
    expect((await gantry('run', '--image', IMAGE, '--', 'echo', 'after restart')).stdout).toBe('after restart\n');
  });
});
