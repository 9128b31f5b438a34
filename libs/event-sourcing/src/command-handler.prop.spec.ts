import { ManualClock } from '@gantry/kernel/clock';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CommandHandler, type CommandOrigin } from './command-handler.js';
import { fold } from './decider.js';
import { InMemoryEventStore } from './in-memory-event-store.js';
import type { CounterEvent } from './testing/commit-builder.js';
import { type CounterCommand, counterDecider } from './testing/counter-decider.js';

const origin = (commandId: string): CommandOrigin => ({
  commandId,
  actor: { kind: 'service', id: 'test' },
  correlationId: 'correlation',
  causationId: 'causation',
});

const processOn = (store: InMemoryEventStore<CounterEvent>, cacheSize = 100) =>
  new CommandHandler({
    streamName: 'COUNTERS',
    schemaVersion: 1,
    decider: counterDecider,
    store,
    clock: new ManualClock(),
    subjectOf: (id) => `counters.${id}`,
    cacheSize,
    maxRetries: 1_000,
  });

const commandArbitrary: fc.Arbitrary<CounterCommand> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant('Add' as const), amount: fc.integer({ min: 0, max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('Close' as const), at: fc.nat() }) },
);
const stepsArbitrary = fc.array(
  fc.record({
    aggregate: fc.constantFrom('a', 'b', 'c'),
    command: commandArbitrary,
    process: fc.nat({ max: 2 }),
    /** How often the same command arrives, maybe at different processes. */
    copies: fc.integer({ min: 1, max: 3 }),
  }),
  { maxLength: 40 },
);

describe('CommandHandler', () => {
  it('keeps every accepted command once, in a gapless history, whatever runs at the same time and however often it arrives', async () => {
    await fc.assert(
      fc.asyncProperty(stepsArbitrary, async (steps) => {
        const store = new InMemoryEventStore<CounterEvent>();
        const processes = [processOn(store), processOn(store, 1), processOn(store)];
        const outcomes = await Promise.allSettled(
          steps.flatMap(({ aggregate, command, process, copies }, index) =>
            Array.from({ length: copies }, (_, copy) =>
              processes[(process + copy) % 3]!.handle(aggregate, command, origin(`command-${index}`)),
            ),
          ),
        );
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'COUNTER.CLOSED' });
        }
        const ids = store.all.map((stored) => stored.commit.id);
        expect(new Set(ids).size).toBe(ids.length);
        for (const aggregate of ['a', 'b', 'c']) {
          const commits = (await store.load(`counters.${aggregate}`)).map((stored) => stored.commit);
          expect(commits.map((commit) => commit.version)).toEqual(commits.map((_, index) => index + 1));
          // Nothing was added after the closing, and it was closed once at most.
          const types = commits.flatMap((commit) => commit.events.map((event) => event.type));
          expect(types.slice(0, -1)).not.toContain('Closed');
          const reloaded = await processOn(store).load(aggregate);
          expect(reloaded.state).toEqual(
            fold(
              counterDecider,
              counterDecider.initialState,
              commits.flatMap((commit) => commit.events),
            ),
          );
          expect(reloaded.version).toBe(commits.length);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('holds the same state in its cache as a replay gives, also when it only listens', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(commandArbitrary, { maxLength: 30 }), fc.nat({ max: 30 }), async (commands, from) => {
        const store = new InMemoryEventStore<CounterEvent>();
        const writer = processOn(store);
        for (const [index, command] of commands.entries()) {
          await writer.handle('a', command, origin(`command-${index}`)).catch(() => undefined);
        }
        const listener = processOn(store);
        // A listener that joins late, or hears a commit twice, must end where a replay ends.
        for (const stored of store.all.slice(Math.min(from, store.all.length))) {
          listener.absorb(stored);
          listener.absorb(stored);
        }
        const replayed = await processOn(store).load('a');
        expect(await writer.load('a')).toEqual(replayed);
        expect(await listener.load('a')).toEqual(replayed);
      }),
      { numRuns: 150 },
    );
  });
});
