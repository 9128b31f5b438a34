import { describe, expect, it } from 'vitest';
import type { SignedInFragment } from '@/gql/graphql';
import { ProblemError } from '@/lib/problem';
import { Session, type SessionMessage, type SessionPorts } from './session';

const user = { id: 'u', email: 'ada@example.org', name: 'Ada', role: 'user' as const, mustChangePassword: false };
const refused = new ProblemError({
  code: 'AUTH.SESSION_ENDED',
  kind: 'unauthenticated',
  message: 'Log in again.',
  retryable: false,
  fields: [],
});

/** A browser with one cookie: a refresh token may be used once, its second use ends the session. */
class FakeBrowser {
  now = 0;
  cookie: string | null = 'r0';
  refreshes = 0;
  reused = false;
  down = false;
  lifetimeMs = 900_000;
  private live: string | null = 'r0';
  private queue: Promise<unknown> = Promise.resolve();
  private readonly tabs: { listener: (message: SessionMessage) => void; from: number }[] = [];
  scheduled: { run: () => void; delayMs: number; tab: number }[] = [];

  async refresh(): Promise<SignedInFragment> {
    const sent = this.cookie;
    await Promise.resolve();
    if (this.down) throw new TypeError('fetch failed');
    if (sent === null) throw refused;
    if (sent !== this.live) {
      this.reused = true;
      this.live = null;
      throw refused;
    }
    this.refreshes += 1;
    this.live = `r${this.refreshes}`;
    await Promise.resolve();
    this.cookie = this.live;
    return { accessToken: `t${this.refreshes}`, accessTokenExpiresAt: this.now + this.lifetimeMs, user };
  }

  openTab(): Session {
    const tab = this.tabs.length;
    const ports: SessionPorts = {
      refresh: () => this.refresh(),
      logOut: () => {
        this.cookie = null;
        this.live = null;
        return Promise.resolve();
      },
      exclusively: <T>(work: () => Promise<T>) => {
        const result = this.queue.then(work);
        this.queue = result.catch(() => undefined);
        return result;
      },
      tell: (message) => {
        for (const other of this.tabs) if (other.from !== tab) other.listener(message);
      },
      listen: (listener) => this.tabs.push({ listener, from: tab }),
      now: () => this.now,
      schedule: (run, delayMs) => {
        this.scheduled = [...this.scheduled.filter((each) => each.tab !== tab), { run, delayMs, tab }];
      },
    };
    return new Session(ports);
  }
}

describe('Session', () => {
  it('comes back at page load by the cookie', async () => {
    const browser = new FakeBrowser();
    const session = browser.openTab();
    expect((await session.start()).status).toBe('signed_in');
    expect(await session.getAccessToken()).toBe('t1');
    expect(browser.refreshes).toBe(1);
  });

  it('refreshes once for many callers at the same time', async () => {
    const browser = new FakeBrowser();
    const session = browser.openTab();
    const tokens = await Promise.all([
      session.getAccessToken(),
      session.getAccessToken(),
      session.renewAccessToken(),
      session.refresh().then(() => session.getAccessToken()),
    ]);
    expect(tokens).toEqual(['t1', 't1', 't1', 't1']);
    expect(browser.refreshes).toBe(1);
  });

  it('refreshes once for many tabs, and never uses a token twice', async () => {
    const browser = new FakeBrowser();
    const tabs = [browser.openTab(), browser.openTab(), browser.openTab()];
    await Promise.all(tabs.map((tab) => tab.start()));
    expect(browser.refreshes).toBe(1);
    browser.now += browser.lifetimeMs;
    const tokens = await Promise.all(tabs.map((tab) => tab.getAccessToken()));
    expect(new Set(tokens)).toEqual(new Set(['t2']));
    expect([browser.refreshes, browser.reused]).toEqual([2, false]);
  });

  it('renews ahead of the end', async () => {
    const browser = new FakeBrowser();
    const session = browser.openTab();
    await session.start();
    expect(browser.scheduled[0]?.delayMs).toBe(browser.lifetimeMs - 45_000);
    browser.scheduled[0]?.run();
    await session.refresh();
    expect(await session.getAccessToken()).toBe('t2');
  });

  it('is signed out when the server says so, and asks no more', async () => {
    const browser = new FakeBrowser();
    browser.cookie = null;
    const session = browser.openTab();
    expect((await session.start()).status).toBe('signed_out');
    expect(await session.getAccessToken()).toBeNull();
    expect(browser.refreshes).toBe(0);
  });

  it('cannot tell when the API is away at load', async () => {
    const browser = new FakeBrowser();
    browser.down = true;
    const session = browser.openTab();
    expect(await session.start()).toMatchObject({ status: 'unreachable', problem: { code: 'NETWORK.UNREACHABLE' } });
    browser.down = false;
    expect((await session.refresh()).status).toBe('signed_in');
  });

  it('outlives an outage of the API', async () => {
    const browser = new FakeBrowser();
    const session = browser.openTab();
    await session.start();
    browser.down = true;
    browser.now += browser.lifetimeMs;
    expect((await session.refresh()).status).toBe('signed_in');
    expect(browser.scheduled[0]?.delayMs).toBe(5_000);
    browser.down = false;
    expect(await session.getAccessToken()).toBe('t2');
  });

  it('signs all tabs out together', async () => {
    const browser = new FakeBrowser();
    const [first, second] = [browser.openTab(), browser.openTab()];
    await first.start();
    expect(second.get().status).toBe('signed_in');
    await second.signOut();
    expect([first.get().status, second.get().status]).toEqual(['signed_out', 'signed_out']);
  });
});
