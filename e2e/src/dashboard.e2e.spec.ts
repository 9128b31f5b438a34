import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { GantryClient, isFinished } from '@gantry/client/gantry-client';
import { GantrySystem } from '@gantry/testing/gantry-system.fixture';
import axe from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';
import { eachOf } from './each-of.js';
import { TaskFormPage, type FormEntry } from './task-form.page.js';

const IMAGE = 'gantry/demo:latest';
const account = { name: 'Ada', email: 'ada@example.org', password: 'a-password-of-ada' };
const MANY = 200;
/** Two cores start some four containers a second, beside whatever else they do. */
const MANY_TIMEOUT_MS = 400_000;
const namesOfMany = Array.from({ length: MANY }, (_, index) => `form ${index}`).sort();
const WAIT = { timeout: 30_000 };

/** A newcomer in a real browser, from registration to the downloaded file. */
describe('the dashboard, in a browser', () => {
  let system: GantrySystem;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];

  const submitThroughForm = (entry: Omit<FormEntry, 'image'>) =>
    new TaskFormPage(page, system.webUrl).submit({ image: IMAGE, ...entry });

  const statusOfTask = () => page.getByTestId('task-status').first().innerText();
  const statusBecomes = (status: RegExp) =>
    page.getByTestId('task-status').filter({ hasText: status }).first().waitFor({ timeout: 90_000 });

  /** Names of the succeeded tasks with this tag, as the whole list shows them. */
  const listSucceeded = async (tag: string): Promise<string[]> => {
    await page.goto(`${system.webUrl}/tasks?status=succeeded&tag=${tag}`);
    const rows = page.getByRole('table', { name: 'Tasks' }).locator('tbody tr');
    await rows.first().waitFor();
    const more = page.getByRole('button', { name: 'Show more' });
    while ((await more.count()) > 0) {
      const shown = await rows.count();
      await more.click();
      await page.waitForFunction((before) => document.querySelectorAll('tbody tr').length > before, shown);
    }
    return rows
      .getByRole('link')
      .filter({ hasText: /^form \d+$/ })
      .allInnerTexts();
  };

  const downloadFile = async (name: string): Promise<Buffer> => {
    const row = page.getByTestId('artifact-row').filter({ hasText: name });
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      row.getByRole('button', { name: /download/i }).click(),
    ]);
    return fs.readFileSync(await download.path());
  };

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
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    page = await context.newPage();
    page.setDefaultTimeout(WAIT.timeout);
    page.on('pageerror', (error) => problems.push(error.message));
  });

  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    const shown = await page.locator('body').innerText();
    console.log(`shown at ${page.url()}:\n${shown}\nlast of the log:\n${system.log().slice(-8_000)}`);
  });

  afterAll(async () => {
    await browser?.close();
    await system.stop();
    system.remove();
  });

  it('sends a stranger to the log-in page', async () => {
    await page.goto(`${system.webUrl}/tasks`);
    await page.waitForURL('**/login**');
    await page.getByRole('button', { name: 'Log in' }).waitFor();
  });

  it('registers an account and shows the overview', async () => {
    await page.goto(`${system.webUrl}/register`);
    await page.getByLabel('Name').fill(account.name);
    await page.getByLabel('E-mail').fill(account.email);
    await page.getByRole('textbox', { name: 'Password' }).fill(account.password);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.waitForURL(`${system.webUrl}/`);
    await page.locator('[data-testid=connection-state][data-state=live]').waitFor();
  });

  it('says what is wrong in the form before anything is sent', async () => {
    await page.goto(`${system.webUrl}/tasks/new`);
    await page.getByLabel('Name', { exact: false }).first().fill('bad');
    await page.getByLabel('Image').fill('NOT AN IMAGE');
    await page.getByRole('button', { name: 'Submit task' }).click();
    await page.getByText(/image reference such as/i).waitFor();
    expect(page.url()).toContain('/tasks/new');
  });

  it('submits a task, shows its first line while it runs, and its success', async () => {
    const script = 'echo first line; sleep 6; echo -n hello > /output/greeting.txt; echo last line';
    await submitThroughForm({ name: 'from the browser', command: `sh -c '${script}'` });
    await page.getByTestId('log-line').filter({ hasText: 'first line' }).waitFor();
    // The line came while the task was still running: live, not from history.
    expect(await statusOfTask()).toMatch(/running/i);
    expect(await page.getByTestId('log-line').filter({ hasText: 'last line' }).count()).toBe(0);
    await statusBecomes(/succeeded/i);
    await page.getByTestId('log-line').filter({ hasText: 'last line' }).waitFor();
  });

  it('downloads the file it left', async () => {
    const content = await downloadFile('greeting.txt');
    expect(content.toString()).toBe('hello');
    const row = page.getByTestId('artifact-row').filter({ hasText: 'greeting.txt' });
    expect(await row.innerText()).toContain(createHash('sha256').update(content).digest('hex').slice(0, 12));
  });

  it('(a) shows 100,000 lines of both streams and gives a 50 MB file back whole', async () => {
    const script = [
      'i=1; while [ $i -le 100000 ]; do if [ $((i % 2)) = 0 ]; then echo "line $i"; else echo "line $i" >&2; fi; i=$((i+1)); done',
      'dd if=/dev/urandom of=/output/data.bin bs=1M count=50 2>/dev/null',
      'sha256sum /output/data.bin | cut -c1-64 > /output/sum.txt',
    ].join('; ');
    await submitThroughForm({ name: 'many lines', command: `sh -c '${script}'` });
    await statusBecomes(/succeeded/i);
    await page.getByText('100,000 lines').waitFor();
    const sum = createHash('sha256')
      .update(await downloadFile('data.bin'))
      .digest('hex');
    expect((await downloadFile('sum.txt')).toString().trim()).toBe(sum);
  });

  it('(b) shows exit code 3', async () => {
    await submitThroughForm({ name: 'exits three', command: "sh -c 'exit 3'" });
    await statusBecomes(/failed/i);
    await page.getByText('Exit code 3.').waitFor();
  });

  it('runs it again with changes, from its page', async () => {
    await new TaskFormPage(page, system.webUrl).submitAgain('exits three', { name: 'exits well', command: 'true' });
    await statusBecomes(/succeeded/i);
  });

  it('(c) says that the memory ran out', async () => {
    await submitThroughForm({ name: 'too greedy', command: "sh -c 'head -c 200m /dev/zero | tail'", memoryMb: 32 });
    await statusBecomes(/failed/i);
    await page.getByText('It ran out of memory').first().waitFor();
  });

  it('(d) cancels a sleeping task after asking', async () => {
    await submitThroughForm({ name: 'sleeper', command: 'sleep 600' });
    await statusBecomes(/running/i);
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the task' }).click();
    await statusBecomes(/cancelled/i);
  });

  it('(e) ends a task that outlives its time limit', async () => {
    await submitThroughForm({ name: 'too slow', command: 'sleep 600', timeoutSeconds: 2 });
    await statusBecomes(/timed out/i);
    await page.getByText('It ran longer than allowed').waitFor();
  });

  it('(f) says why a task that asks for 1,000 CPUs waits', async () => {
    await submitThroughForm({ name: 'giant', command: 'true', cpu: 1000 });
    await page
      .getByText(/1000 cores/)
      .first()
      .waitFor();
    expect(await statusOfTask()).toMatch(/queued/i);
  });

  it(
    `(g) runs ${MANY} short tasks submitted through the form, each exactly once`,
    async () => {
      const startedAt = Date.now();
      const tabs = await Promise.all(Array.from({ length: 2 }, () => page.context().newPage()));
      const forms = tabs.map((tab) => {
        tab.setDefaultTimeout(WAIT.timeout);
        tab.on('pageerror', (error) => problems.push(error.message));
        return new TaskFormPage(tab, system.webUrl);
      });
      const opened = new Set<number>();
      const ids = await eachOf(MANY, tabs.length, async (index, lane) => {
        const form = forms[lane];
        if (form === undefined) throw new Error(`there is no tab ${lane}`);
        const change = { name: `form ${index}`, command: `echo ${index}` };
        if (opened.has(lane)) return form.submitNext(change);
        opened.add(lane);
        return form.submitAndStay({ ...change, image: IMAGE, cpu: 0.05, memoryMb: 16, tag: 'many' });
      });
      const submittedAfter = (Date.now() - startedAt) / 1_000;
      await Promise.all(tabs.map((tab) => tab.close()));
      expect(new Set(ids).size).toBe(MANY);

      const { accessToken } = await new GantryClient({ apiUrl: system.apiUrl }).logIn(account.email, account.password);
      const client = new GantryClient({ apiUrl: system.apiUrl, credentials: () => accessToken });
      for (const [index, id] of ids.entries()) {
        for await (const task of client.followTask(id))
          if (isFinished(task))
            expect(task).toMatchObject({ name: `form ${index}`, status: 'succeeded', attempt: 1, tags: ['many'] });
        const { lines } = await client.taskLogs({ taskId: id });
        expect(lines.filter(({ stream }) => stream === 'stdout').map(({ text }) => text)).toEqual([String(index)]);
      }
      await client.close();
      const seconds = (Date.now() - startedAt) / 1_000;
      console.log(`${MANY} by form: submitted in ${submittedAfter.toFixed(1)} s, ended after ${seconds.toFixed(1)} s`);
      expect((await listSucceeded('many')).sort()).toEqual(namesOfMany);
    },
    MANY_TIMEOUT_MS,
  );

  it('lists the task, keeps filters in the address, and stays logged in after a reload', async () => {
    await page.goto(`${system.webUrl}/tasks?status=succeeded&q=from+the+browser`);
    await page.getByRole('link', { name: 'from the browser' }).first().waitFor();
    await page.reload();
    await page.getByRole('link', { name: 'from the browser' }).first().waitFor();
    expect(page.url()).toContain('status=succeeded');
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

  it('has everything again after a restart, without another log-in', async () => {
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goto('about:blank');
    await system.stop();
    await system.start();
    for (const name of [
      'from the browser',
      'many lines',
      'exits three',
      'too greedy',
      'sleeper',
      'too slow',
      'giant',
    ]) {
      await page.goto(`${system.webUrl}/tasks?q=${encodeURIComponent(name)}`);
      await page.getByRole('link', { name }).first().waitFor();
    }
    expect((await listSucceeded('many')).sort()).toEqual(namesOfMany);
    await page.goto(`${system.webUrl}/tasks?q=from+the+browser`);
    await page.getByRole('link', { name: 'from the browser' }).first().click();
    await page.getByTestId('log-line').filter({ hasText: 'last line' }).waitFor();
    expect((await downloadFile('greeting.txt')).toString()).toBe('hello');
  });

  it('logged no error in the browser', () => {
    expect(problems).toEqual([]);
  });
});
