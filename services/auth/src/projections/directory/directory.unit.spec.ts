import type { AuthEvent } from '@gantry/contracts/auth/auth-events';
import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DirectoryProjection } from './directory.projection.js';

const registered: AuthEvent = {
  type: 'UserRegistered',
  data: {
    userId: 'u1',
    email: 'ada@example.org',
    name: 'Ada',
    role: 'user',
    passwordHash: 'h',
    mustChangePassword: false,
    at: 1,
  },
};

const commit = (streamSequence: number, ...events: AuthEvent[]): StoredCommit<AuthEvent> => ({
  commit: {
    id: `c${streamSequence}`,
    stream: 'AUTH',
    aggregateId: 'u1',
    version: streamSequence,
    schemaVersion: 1,
    occurredAt: streamSequence,
    actor: { kind: 'anonymous' },
    correlationId: 'c',
    causationId: 'c',
    events,
  },
  streamSequence,
  subject: 'auth.user.u1',
});

afterEach(() => {
  vi.useRealTimers();
});

describe('directory', () => {
  it('tells who waits when a commit has been taken in, later ones included', async () => {
    const directory = new DirectoryProjection();
    const seen: number[] = [];
    const waiting = [2, 1, 3].map((sequence) => directory.reached(sequence).then(() => seen.push(sequence)));
    directory.apply(commit(2, registered));
    await Promise.all(waiting.slice(0, 2));
    expect(seen.toSorted()).toEqual([1, 2]);
    directory.apply(commit(3));
    await Promise.all(waiting);
    await expect(directory.reached(3)).resolves.toBeUndefined();
  });

  it('gives up waiting after five seconds, retryably', async () => {
    vi.useFakeTimers();
    const directory = new DirectoryProjection();
    const waiting = expect(directory.reached(1)).rejects.toMatchObject({
      code: 'AUTH.DIRECTORY_BEHIND',
      retryable: true,
    });
    await vi.advanceTimersByTimeAsync(5_000);
    await waiting;
  });

  it('ignores a commit that comes again', () => {
    const directory = new DirectoryProjection();
    directory.apply(commit(1, registered));
    directory.apply(commit(2, { type: 'LogInFailed', data: { userId: 'u1', ip: '', at: 2 } }));
    directory.apply(commit(2, { type: 'LogInFailed', data: { userId: 'u1', ip: '', at: 2 } }));
    directory.apply(commit(1, registered));
    expect(directory.user('u1')?.failedLogIns).toEqual([2]);
  });
});
