import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Caller } from './caller.js';
import { Gate } from './gate.js';
import type { Principal } from './principal.js';

const user = (userId: string): Principal => ({
  userId,
  name: 'n',
  email: 'e',
  role: 'user',
  via: 'session',
  sessionId: 's',
  scopes: null,
  mustChangePassword: false,
  expiresAt: null,
});
const caller = (ip: string, userId?: string): Caller => ({
  principal: userId === undefined ? null : user(userId),
  rejection: null,
  ip,
  userAgent: '',
  correlationId: 'c',
});
const limit = (retryAfterSeconds: number): unknown =>
  expect.objectContaining({ code: 'LIMIT.TOO_MANY_REQUESTS', kind: 'limit', retryable: true, retryAfterSeconds });

describe('rates', () => {
  let gate: Gate;
  const calls = async (count: number, operation: string, from: Caller) => {
    for (let call = 0; call < count; call += 1) await gate.passOperation(operation, from);
  };

  beforeEach(() => {
    vi.useFakeTimers();
    gate = new Gate({ credentialsPerMinute: 3, generalPerMinute: 20 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('are counted per minute and say how long to wait', async () => {
    await calls(3, 'Mutation.logIn', caller('a'));
    vi.advanceTimersByTime(40_000);
    await expect(gate.passOperation('Mutation.logIn', caller('a'))).rejects.toEqual(limit(20));
    await calls(1, 'Mutation.logIn', caller('b'));
    vi.advanceTimersByTime(20_000);
    await calls(3, 'Mutation.logIn', caller('a'));
    await expect(gate.passOperation('Mutation.logIn', caller('a'))).rejects.toEqual(limit(60));
  });

  it('of guesses are counted per address over all doors, whoever is logged in', async () => {
    await calls(1, 'Mutation.logIn', caller('a', 'u'));
    await calls(1, 'POST /api/auth/login', caller('a', 'v'));
    await calls(1, 'Mutation.register', caller('a'));
    await expect(gate.passOperation('POST /api/auth/register', caller('a', 'w'))).rejects.toEqual(limit(60));
  });

  it('of refreshing are five times that', async () => {
    await calls(15, 'Mutation.refresh', caller('a'));
    await expect(gate.passOperation('POST /api/auth/refresh', caller('a'))).rejects.toEqual(limit(60));
    await calls(3, 'Mutation.logIn', caller('a'));
  });

  it('of everything else are counted per user, or per address of who is nobody', async () => {
    await calls(20, 'Query.tasks', caller('a', 'u'));
    await expect(gate.passOperation('WS /ws/telemetry', caller('b', 'u'))).rejects.toEqual(limit(60));
    await calls(1, 'Query.tasks', caller('a', 'v'));
    await calls(20, 'GET /health', caller('a'));
    await expect(gate.passOperation('GET /health', caller('a'))).rejects.toEqual(limit(60));
  });

  it('count the refused, too', async () => {
    for (let call = 0; call < 20; call += 1) {
      await expect(gate.passOperation('Query.tasks', caller('a'))).rejects.toMatchObject({ kind: 'unauthenticated' });
    }
    await expect(gate.passOperation('Query.tasks', caller('a'))).rejects.toEqual(limit(60));
  });
});
