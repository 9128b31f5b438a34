import fs from 'node:fs';
import path from 'node:path';
import axe from 'axe-core';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GantryClient } from '@gantry/client/gantry-client';
import { eventually } from '@gantry/testing/eventually';
import { adminEmail, adminPassword, gantryCommand, GantrySystem } from '@gantry/testing/gantry-system.fixture';

const IMAGE = 'gantry/demo:latest';

/** What only administrators do, on the real system: dead letters, then a backup, and the whole system back from it elsewhere. */
describe('administration', () => {
  let system: GantrySystem;
  let restored: GantrySystem;
  let browser: Browser;

  const gantry = (...args: string[]) => gantryCommand(system, args);
  const login = (on: GantrySystem, ...options: string[]) =>
    gantryCommand(on, ['login', '--email', adminEmail, ...options], { GANTRY_PASSWORD: adminPassword });

  const loggedIn = async ({ apiUrl }: GantrySystem): Promise<GantryClient> => {
    const { accessToken } = await new GantryClient({ apiUrl }).logIn(adminEmail, adminPassword);
    return new GantryClient({ apiUrl, credentials: () => accessToken });
  };

  beforeAll(async () => {
    system = await GantrySystem.create();
    restored = await GantrySystem.create();
    await system.start();
    browser = await chromium.launch({
      executablePath: process.env['GANTRY_CHROMIUM'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    });
  });

  afterAll(async () => {
    await browser?.close();
    for (const one of [system, restored]) {
      await one.stop();
      one.remove();
    }
  });

  it('needs a key that may administrate', async () => {
    expect((await login(system)).code).toBe(0);
    const refused = await gantry('admin', 'dead-letters');
    expect(refused).toMatchObject({ code: 77, stdout: '' });
    expect(refused.stderr).toContain('AUTH.MISSING_SCOPE');
    expect((await login(system, '--admin')).code).toBe(0);
    expect((await gantry('admin', 'dead-letters')).stdout).toBe('No open dead letters.\n');
  });

  it('shows a message that no service could process, and what happened when it was replayed and discarded', async () => {
    await system.publishAs('worker-worker-1', 'report.worker-1.no-such-task', '{"broken": true}');
    const id = await eventually(async () => {
      const { stdout } = await gantry('admin', 'dead-letters', '--json');
      const [letter] = JSON.parse(stdout) as { id: string; code: string; subject: string }[];
      expect(letter).toMatchObject({ code: 'TASK.UNREADABLE_REPORT', subject: 'report.worker-1.no-such-task' });
      return letter?.id ?? '';
    });
    expect((await gantry('admin', 'dead-letters', 'show', id)).stdout).toContain('{"broken":true}');
    const replayed = await gantry('admin', 'dead-letters', 'replay', id);
    expect(replayed.code).toBe(75);
    expect(replayed.stderr).toContain('DEAD_LETTER.FAILED_AGAIN');

    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await page.goto(`${system.webUrl}/login?next=%2Fadmin%2Fdead-letters`);
    await page.getByLabel('E-mail').fill(adminEmail);
    await page.getByRole('textbox', { name: 'Password' }).fill(adminPassword);
    await page.getByRole('button', { name: 'Log in' }).click();
    const letter = page.getByTestId('dead-letter');
    await letter.getByText('The report does not fit its contract.').waitFor();
    await letter.getByRole('button', { name: /^Show/ }).click();
    await letter.getByText('"broken": true').waitFor();
    await page.evaluate(axe.source);
    const found = await page.evaluate(async () => {
      const runner = (
        window as unknown as {
          axe: {
            run(options: object): Promise<{ violations: { id: string; impact?: string; nodes: { html: string }[] }[] }>;
          };
        }
      ).axe;
      const { violations } = await runner.run({ runOnly: ['wcag2a', 'wcag2aa'] });
      return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
    });
    expect(found).toEqual([]);
    await page.close();
    expect((await gantry('admin', 'dead-letters', 'discard', id)).code).toBe(0);
    expect((await gantry('admin', 'dead-letters', '--state', 'discarded')).stdout).toContain(id);
  });

  it('comes back from a backup in an empty folder: tasks, what runs and what waits, logs, files, users', async () => {
    const script = 'echo kept line; echo -n kept > /output/kept.txt';
    const run = await gantry('run', '--image', IMAGE, '--name', 'kept', '--json', '--', 'sh', '-c', script);
    const { id } = JSON.parse(run.stdout) as { id: string };
    const before = await loggedIn(system);
    const command = ['sh', '-c', 'echo begun; sleep 2'];
    const open = await Promise.all(
      Array.from({ length: 30 }, (_, n) => before.submitTask({ name: `open-${n}`, image: IMAGE, command })),
    );
    const folder = path.join(system.data, 'backup');
    const written = await gantry('admin', 'backup', folder, '--data', system.data);
    expect(written.code, written.stderr).toBe(0);
    const history = JSON.parse((await gantry('status', id, '--json')).stdout) as { version: number };

    const running = await gantry('admin', 'restore', folder, '--data', system.data, '--replace');
    expect(running.stderr).toContain('BACKUP.SYSTEM_RUNNING');
    const back = await gantry('admin', 'restore', folder, '--data', restored.data);
    expect(back.code, back.stderr).toBe(0);
    const twice = await gantry('admin', 'restore', folder, '--data', restored.data);
    expect(twice.stderr).toContain('BACKUP.TARGET_NOT_EMPTY');

    await system.stop();
    await restored.start();
    expect(restored.output).not.toContain('shown only now');
    expect((await login(restored)).code).toBe(0);
    const again = (...args: string[]) => gantryCommand(restored, args);
    expect(JSON.parse((await again('status', id, '--json')).stdout)).toMatchObject({
      status: 'succeeded',
      version: history.version,
    });
    expect((await again('logs', id)).stdout).toContain('kept line');
    expect((await again('list', '--search', 'kept')).stdout).toContain('kept');
    expect((await again('download', id, '-o', path.join(restored.data, 'files'))).code).toBe(0);
    expect(fs.readFileSync(path.join(restored.data, 'files', 'kept.txt'), 'utf8')).toBe('kept');
    const next = await again('run', '--image', IMAGE, '--', 'echo', 'and on');
    expect(next.stdout).toBe('and on\n');

    const client = await loggedIn(restored);
    const statusOf = async (task: string) => (await client.task(task)).status;
    await eventually(
      async () =>
        expect(new Set(await Promise.all(open.map(({ task }) => statusOf(task.id))))).toEqual(new Set(['succeeded'])),
      { timeoutMs: 120_000 },
    );
    await eventually(async () => expect((await client.health()).status).toBe('healthy'), { timeoutMs: 30_000 });
  });
});
