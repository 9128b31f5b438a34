import { fold } from '@gantry/event-sourcing/decider';
import { GantryError } from '@gantry/kernel/gantry-error';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sessionDecider } from './session.decider.js';
import type { SessionCommand } from './session.decide.js';
import type { SessionEvent } from './session.evolve.js';
import { sessionPolicy } from './session.policy.js';
import { noSession, type SessionState } from './session.state.js';

const client = { ip: '', userAgent: '' };
const hashOf = (number: number): string => number.toString(16).padStart(16, '0').repeat(4);

/** Runs commands as the application does: a refused one changes nothing. */
function run(commands: readonly SessionCommand[]): { state: SessionState; events: SessionEvent[] } {
  let state: SessionState = noSession;
  const events: SessionEvent[] = [];
  for (const command of commands) {
    try {
      const decided = sessionDecider.decide(command, state);
      state = fold(sessionDecider, state, decided);
      events.push(...decided);
    } catch (error) {
      if (!(error instanceof GantryError)) throw error;
    }
  }
  return { state, events };
}

const time = fc.integer({ min: 0, max: 2 * sessionPolicy.lifetimeMs });
const start = time.map((at): SessionCommand => ({
  type: 'StartSession',
  sessionId: 's',
  userId: 'u',
  tokenHash: hashOf(0),
  ...client,
  at,
}));
const command: fc.Arbitrary<SessionCommand> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({ presented: fc.nat(6), next: fc.nat(6), at: time })
      .map(({ presented, next, at }): SessionCommand => ({
        type: 'RefreshSession',
        presentedHash: hashOf(presented),
        nextHash: hashOf(next),
        ...client,
        at,
      })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ presented: fc.nat(6), at: time })
      .map(({ presented, at }): SessionCommand => ({ type: 'LogOut', presentedHash: hashOf(presented), at })),
  },
  { weight: 1, arbitrary: time.map((at): SessionCommand => ({ type: 'EndSession', reason: 'revoked', at })) },
  { weight: 1, arbitrary: time.map((at): SessionCommand => ({ type: 'ExpireSession', at })) },
  { weight: 1, arbitrary: start },
);

describe('session', () => {
  it('never comes back after its end, and ends at most once', () => {
    fc.assert(
      fc.property(start, fc.array(command, { maxLength: 40 }), (first, rest) => {
        const { events } = run([first, ...rest]);
        const ends = events
          .map((event, index) => ({ event, index }))
          .filter(({ event }) => event.type === 'SessionEnded');
        expect(ends.length).toBeLessThanOrEqual(1);
        if (ends[0] !== undefined) expect(ends[0].index).toBe(events.length - 1);
      }),
    );
  });

  it('is never refreshed at or after its absolute end, which refreshing does not move', () => {
    fc.assert(
      fc.property(start, fc.array(command, { maxLength: 40 }), (first, rest) => {
        const { events } = run([first, ...rest]);
        const startedAt = events[0]?.data.at ?? Number.NaN;
        for (const event of events) {
          if (event.type === 'SessionRefreshed')
            expect(event.data.at).toBeLessThan(startedAt + sessionPolicy.lifetimeMs);
        }
      }),
    );
  });

  it('folds to the same state in one go and in pieces', () => {
    fc.assert(
      fc.property(start, fc.array(command, { maxLength: 30 }), fc.nat(30), (first, rest, cut) => {
        const { state, events } = run([first, ...rest]);
        const snapshot = fold(sessionDecider, noSession, events.slice(0, cut));
        expect(fold(sessionDecider, snapshot, events.slice(cut))).toEqual(state);
      }),
    );
  });

  it('ends whichever of its used tokens comes back after the race is over', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 280 }), fc.nat(), (rotations, pick) => {
        const refreshes = Array.from({ length: rotations }, (_, index): SessionCommand => {
          return {
            type: 'RefreshSession',
            presentedHash: hashOf(index),
            nextHash: hashOf(index + 1),
            ...client,
            at: index,
          };
        });
        const used = pick % rotations;
        const late = rotations + sessionPolicy.refreshRaceMs + 1;
        const { state } = run([
          { type: 'StartSession', sessionId: 's', userId: 'u', tokenHash: hashOf(0), ...client, at: 0 },
          ...refreshes,
          { type: 'RefreshSession', presentedHash: hashOf(used), nextHash: hashOf(9_999), ...client, at: late },
        ]);
        expect(state).toEqual({ status: 'ended', userId: 'u', reason: 'token_reused' });
      }),
    );
  });
});
