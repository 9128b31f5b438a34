import type { SignedInFragment } from '@/gql/graphql';
import { ExternalStore } from '@/lib/external-store';
import { isUnauthenticated, problemOf, type Problem } from '@/lib/problem';

export type SessionUser = SignedInFragment['user'];

export type SessionState =
  | { readonly status: 'unknown' }
  | {
      readonly status: 'signed_in';
      readonly user: SessionUser;
      readonly accessToken: string;
      readonly expiresAt: number;
    }
  | { readonly status: 'signed_out' }
  /** We cannot tell: the API did not answer. */
  | { readonly status: 'unreachable'; readonly problem: Problem };

/** What the session needs from outside. */
export interface SessionPorts {
  refresh(): Promise<SignedInFragment>;
  logOut(): Promise<void>;
  /** Runs `work` while no other tab of this browser runs its own. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  /** Tells the other tabs; `listen` hears them. The token stays in memory on the way. */
  tell(message: SessionMessage): void;
  listen(listener: (message: SessionMessage) => void): void;
  now(): number;
  /** Calls `run` after `delayMs`; a new call replaces the one before. */
  schedule(run: () => void, delayMs: number): void;
}

export type SessionMessage = { type: 'signed_in'; payload: SignedInFragment } | { type: 'signed_out' };

/** A token is renewed this long before it runs out, so that a request never carries a dead one. */
const RENEW_AHEAD_MS = 45_000;
const RETRY_MS = 5_000;

/**
 * The signed-in session of one tab. The access token lives in memory only; the refresh token is a cookie that we never
 * see. A refresh token may be used once (its second use revokes the session), so refreshes run one at a time
 * across all tabs, and a tab that waited takes the result of the tab before it.
 */
export class Session extends ExternalStore<SessionState> {
  private inFlight: Promise<SessionState> | undefined;

  constructor(private readonly ports: SessionPorts) {
    super({ status: 'unknown' });
    ports.listen((message) => {
      if (message.type === 'signed_in') this.adopt(message.payload);
      else this.set({ status: 'signed_out' });
    });
  }

  /** At page load: is there a session behind the cookie? */
  start(): Promise<SessionState> {
    const state = this.get();
    return state.status === 'signed_in' ? Promise.resolve(state) : this.refresh();
  }

  signIn(payload: SignedInFragment): void {
    this.adopt(payload);
    this.ports.tell({ type: 'signed_in', payload });
  }

  updateUser(user: SessionUser): void {
    const state = this.get();
    if (state.status === 'signed_in') this.set({ ...state, user });
  }

  /** Forgets the session here even when the server cannot be told. */
  async signOut(): Promise<void> {
    try {
      await this.ports.exclusively(() => this.ports.logOut());
    } finally {
      this.set({ status: 'signed_out' });
      this.ports.tell({ type: 'signed_out' });
    }
  }

  readonly getAccessToken = async (): Promise<string | null> => {
    const state = this.get();
    if (state.status === 'signed_out') return null;
    if (state.status === 'signed_in' && state.expiresAt - this.ports.now() > RENEW_AHEAD_MS / 3)
      return state.accessToken;
    return tokenOf(await this.refresh());
  };

  /** The server refused the token although its time was not over. */
  readonly renewAccessToken = async (): Promise<string | null> => tokenOf(await this.refresh());

  refresh(): Promise<SessionState> {
    this.inFlight ??= this.refreshOnce().finally(() => {
      this.inFlight = undefined;
    });
    return this.inFlight;
  }

  private async refreshOnce(): Promise<SessionState> {
    const before = this.get();
    return this.ports.exclusively(async () => {
      // While we waited for the lock another tab may have renewed the session and told us.
      const current = this.get();
      if (current !== before && current.status === 'signed_in') return current;
      try {
        this.signIn(await this.ports.refresh());
      } catch (thrown) {
        this.refreshFailed(problemOf(thrown));
      }
      return this.get();
    });
  }

  private refreshFailed(problem: Problem): void {
    if (isUnauthenticated(problem)) {
      this.set({ status: 'signed_out' });
      return;
    }
    // An API that is away does not end a session: what is on the screen stays, half-filled forms too, and we try again.
    if (this.get().status === 'signed_in') this.renewIn(RETRY_MS);
    else this.set({ status: 'unreachable', problem });
  }

  private adopt(payload: SignedInFragment): void {
    this.set({
      status: 'signed_in',
      user: payload.user,
      accessToken: payload.accessToken,
      expiresAt: payload.accessTokenExpiresAt,
    });
    this.renewIn(Math.max(RETRY_MS, payload.accessTokenExpiresAt - this.ports.now() - RENEW_AHEAD_MS));
  }

  private renewIn(delayMs: number): void {
    this.ports.schedule(() => void this.refresh(), delayMs);
  }
}

const tokenOf = (state: SessionState) => (state.status === 'signed_in' ? state.accessToken : null);
