import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GantryClient } from '@gantry/client/gantry-client';
import { GantrySystem } from '@gantry/testing/gantry-system.fixture';
import axe from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';

const IMAGE = 'gantry/demo:latest';
const account = { name: 'Ada', email: 'ada@example.org', password: 'a-password-of-ada' };
const WAIT = { timeout: 30_000 };

/** A newcomer in a real browser, from registration to the downloaded file. */
describe('the dashboard, in a browser', () => {
  let system: GantrySystem;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    system = await GantrySystem.create();
    await system.start();
    browser = await chromium.launch({
      executablePath: process.env['GANTRY_CHROMIUM'] ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.setDefaultTimeout(WAIT.timeout);
    page.on('pageerror', (error) => problems.push(error.message));
  });

  afterAll(async () => {
    await browser?.close();
    await system.stop();
    system.remove();
  });

  it('sends a stranger to the log-in page', async () => {
    await page.goto(`${system.webUrl}/tasks`);
    await page.waitForURL('**/login**');
    expect(await page.getByRole('button', { name: 'Log in' }).isVisible()).toBe(true);
  });

  it('registers an account and shows the overview', async () => {
    await page.goto(`${system.webUrl}/register`);
    await page.getByLabel('Name').fill(account.name);
    await page.getByLabel('E-mail').fill(account.email);
    await page.getByLabel('Password').first().fill(account.password);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.waitForURL(`${system.webUrl}/`);
    await page.locator('[data-testid=connection-state][data-state=live]').waitFor();
  });

  it('says what is wrong in the form before anything is sent', async () => {
    await page.goto(`${system.webUrl}/tasks/new`);
    await page.getByLabel('Name', { exact: false }).first().fill('bad');
    await page.getByLabel('Image').fill('NOT AN IMAGE');
    await page.getByRole('button', { name: /^submit/i }).click();
    expect(await page.getByText(/image reference such as/i).isVisible()).toBe(true);
  });

  it('submits a task, shows its first line while it runs, and its success', async () => {
    await page.goto(`${system.webUrl}/tasks/new`);
    await page.getByLabel('Name', { exact: false }).first().fill('from the browser');
    await page.getByLabel('Image').fill(IMAGE);
    const script = 'echo first line; sleep 6; echo -n hello > /output/greeting.txt; echo last line';
    await page.locator('#command').fill(`sh -c '${script}'`);
    await page.getByRole('button', { name: /^submit/i }).click();
    await page.waitForURL(/\/tasks\/[0-9a-f-]{36}$/);
    await page.getByTestId('log-line').filter({ hasText: 'first line' }).waitFor();
    // The line came while the task was still running: live, not from history.
    expect(await page.getByTestId('task-status').first().innerText()).toMatch(/running/i);
    expect(await page.getByTestId('log-line').filter({ hasText: 'last line' }).count()).toBe(0);
    await page
      .getByTestId('task-status')
      .filter({ hasText: /succeeded/i })
      .first()
      .waitFor();
    await page.getByTestId('log-line').filter({ hasText: 'last line' }).waitFor();
  });

  it('downloads the file it left', async () => {
    const row = page.getByTestId('artifact-row').filter({ hasText: 'greeting.txt' });
    await row.waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      row.getByRole('button', { name: /download/i }).click(),
    ]);
    const content = fs.readFileSync(await download.path());
    expect(content.toString()).toBe('hello');
    expect(await row.innerText()).toContain(createHash('sha256').update(content).digest('hex').slice(0, 12));
  });

  it('lists the task, keeps filters in the address, and stays logged in after a reload', async () => {
    await page.goto(`${system.webUrl}/tasks?status=succeeded`);
    await page.getByRole('link', { name: 'from the browser' }).first().waitFor();
    await page.reload();
    await page.getByRole('link', { name: 'from the browser' }).first().waitFor();
    expect(page.url()).toContain('status=succeeded');
  });

  it('cancels a running task after asking', async () => {
    const { accessToken } = await new GantryClient({ apiUrl: system.apiUrl }).logIn(account.email, account.password);
    const client = new GantryClient({ apiUrl: system.apiUrl, credentials: () => accessToken });
    const { task } = await client.submitTask({ name: 'sleeper', image: IMAGE, command: ['sleep', '600'] });
    await page.goto(`${system.webUrl}/tasks/${task.id}`);
    await page
      .getByTestId('task-status')
      .filter({ hasText: /running/i })
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /cancel (the )?task|stop/i })
      .click();
    await page
      .getByTestId('task-status')
      .filter({ hasText: /cancelled/i })
      .first()
      .waitFor();
    await client.close();
  });

  it('says why a task that fits nowhere waits', async () => {
    const { accessToken } = await new GantryClient({ apiUrl: system.apiUrl }).logIn(account.email, account.password);
    const client = new GantryClient({ apiUrl: system.apiUrl, credentials: () => accessToken });
    const { task } = await client.submitTask({
      name: 'giant',
      image: IMAGE,
      command: ['true'],
      resources: { cpu: 1000 },
    });
    await page.goto(`${system.webUrl}/tasks/${task.id}`);
    await page
      .getByText(/1000 cores/)
      .first()
      .waitFor();
    await client.cancelTask(task.id);
    await client.close();
  });

  it.each(['/', '/tasks', '/tasks/new', '/workers', '/settings'])(
    '%s has no serious accessibility violation',
    async (path) => {
      await page.goto(`${system.webUrl}${path}`);
      await page.getByRole('main').waitFor();
      await page.waitForLoadState('networkidle').catch(() => undefined);
      await page.evaluate(axe.source);
      const found = await page.evaluate(async () => {
        const runner = (
          window as unknown as {
            axe: { run(options: object): Promise<{ violations: { id: string; impact?: string }[] }> };
          }
        ).axe;
        const { violations } = await runner.run({ runOnly: ['wcag2a', 'wcag2aa'] });
        return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id }) => id);
      });
      expect(found).toEqual([]);
    },
  );

  it('fits a phone: nothing is wider than the screen', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const path of ['/', '/tasks', '/tasks/new', '/workers']) {
      await page.goto(`${system.webUrl}${path}`);
      await page.getByRole('main').waitFor();
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow, path).toBeLessThanOrEqual(0);
    }
  });

  it('logged no error in the browser', () => {
    expect(problems).toEqual([]);
  });
});
