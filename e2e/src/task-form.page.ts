import type { Page } from 'playwright-core';

export interface FormEntry {
  name: string;
  image: string;
  command: string;
  cpu?: number;
  memoryMb?: number;
  timeoutSeconds?: number;
  tag?: string;
}

/** The form for a new task, used as a person would use it. */
export class TaskFormPage {
  constructor(
    readonly page: Page,
    private readonly webUrl: string,
  ) {}

  /** Fills the form and waits for the page of the new task; answers its id. */
  async submit(entry: FormEntry): Promise<string> {
    await this.fill(entry);
    return this.send();
  }

  /** Opens the form, fills it and stays on it after sending; answers the task's id. */
  async submitAndStay(entry: FormEntry): Promise<string> {
    await this.fill(entry);
    return this.sendAndStay(entry.name);
  }

  /** On the form that `submitAndStay` left: the next task differs in name and command; answers its id. */
  async submitNext(change: { name: string; command: string }): Promise<string> {
    await this.name.fill(change.name);
    await this.page.locator('#command').fill(change.command);
    return this.sendAndStay(change.name);
  }

  private async fill(entry: FormEntry): Promise<void> {
    const { page } = this;
    await page.goto(`${this.webUrl}/tasks/new`);
    await this.name.fill(entry.name);
    await page.getByLabel('Image').fill(entry.image);
    await page.locator('#command').fill(entry.command);
    if (entry.cpu !== undefined) await page.getByLabel('CPU cores').fill(String(entry.cpu));
    if (entry.memoryMb !== undefined)
      await page.getByLabel('Memory (MiB)', { exact: true }).fill(String(entry.memoryMb));
    if (entry.tag !== undefined) {
      // The label also names the list of suggestions.
      const tags = page.getByLabel('Tags').and(page.locator('input'));
      await tags.fill(entry.tag);
      await tags.press('Enter');
    }
    if (entry.timeoutSeconds !== undefined) {
      await page.getByRole('button', { name: 'Queue, limits, labels, network' }).click();
      await page.getByLabel('Time limit (seconds)').fill(String(entry.timeoutSeconds));
    }
  }

  /** From the page of a task: the same form again with another name and command; answers the id of the new task. */
  async submitAgain(before: string, change: { name: string; command: string }): Promise<string> {
    const { page } = this;
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Run again with changes' }).click();
    // The form is filled from the earlier task once that was read; writing sooner would be overwritten.
    await page.waitForFunction(
      (name) => document.querySelector<HTMLInputElement>('input[name=name]')?.value === name,
      before,
    );
    await this.name.fill(change.name);
    await page.locator('#command').fill(change.command);
    return this.send();
  }

  private get name() {
    return this.page.getByLabel('Name', { exact: false }).first();
  }

  private async send(): Promise<string> {
    const { page } = this;
    await page.getByRole('button', { name: 'Submit task' }).click();
    await page.waitForURL(/\/tasks\/[0-9a-f-]{36}$/);
    // The address changes before the page does: only its own content says that it is there.
    await page.getByTestId('task-status').first().waitFor();
    return new URL(page.url()).pathname.split('/').at(-1) ?? '';
  }

  private async sendAndStay(name: string): Promise<string> {
    const { page } = this;
    await page.getByRole('button', { name: 'Submit and write the next' }).click();
    const accepted = page.getByTestId('accepted-task').filter({ hasText: new RegExp(`^${name}$`) });
    return (await accepted.getAttribute('href'))?.split('/').at(-1) ?? '';
  }
}
