import { ManualClock } from '@gantry/kernel/clock';
import { GantryError } from '@gantry/kernel/gantry-error';
import { describe, expect, it } from 'vitest';
import { CommandHandler, type CommandHandlerOptions, type CommandOrigin } from './command-handler.js';
import { InMemoryEventStore } from './in-memory-event-store.js';
import type { CounterEvent } from './testing/commit-builder.js';
import { type CounterCommand, counterDecider, type CounterState } from './testing/counter-decider.js';
import { given } from './testing/given-when-then.js';

type Options = CommandHandlerOptions<CounterState, CounterCommand, CounterEvent>;

const origin: CommandOrigin = {
  commandId: 'command-1',
  actor: { kind: 'user', id: 'u', name: 'U', role: 'user' },
  correlationId: 'correlation',
  causationId: 'request',
  traceparent: '00-1-2-01',
};

const handlerOn = (store: Options['store'], changes: Partial<Options> = {}) =>
  new CommandHandler({
    streamName: 'COUNTERS',
    schemaVersion: 3,
    decider: counterDecider,
    store,
    clock: new ManualClock(5_000),
    subjectOf: (id) => `counters.${id}`,
    ...changes,
  });

describe('CommandHandler', () => {
  it('stores one commit with everything that is known about its origin', async () => {
    const store = new InMemoryEventStore<CounterEvent>();
    const result = await handlerOn(store).handle('a', { type: 'Add', amount: 2 }, origin);
    expect(result).toMatchObject({ state: { total: 2, closed: false }, version: 1, lastSequence: 1 });
    expect(store.all).toEqual([result.stored]);
    expect(result.stored).toEqual({
      subject: 'counters.a',
      streamSequence: 1,
      commit: {
        id: 'command-1',
        stream: 'COUNTERS',
        aggregateId: 'a',
        version: 1,
        schemaVersion: 3,
        occurredAt: 5_000,
        actor: origin.actor,
        correlationId: 'correlation',
        causationId: 'request',
        traceparent: '00-1-2-01',
        events: [{ type: 'Added', data: { amount: 2 } }],
      },
    });
  });

  it('stores nothing when nothing happened, and passes a refusal on', async () => {
    const store = new InMemoryEventStore<CounterEvent>();
    const handler = handlerOn(store);
    expect(await handler.handle('a', { type: 'Add', amount: 0 }, origin)).toMatchObject({
      stored: undefined,
      version: 0,
    });
    await handler.handle('a', { type: 'Close', at: 1 }, origin);
    await expect(
      handler.handle('a', { type: 'Add', amount: 1 }, { ...origin, commandId: 'command-2' }),
    ).rejects.toMatchObject({
      code: 'COUNTER.CLOSED',
    });
    expect(store.all).toHaveLength(1);
  });

  it('neither refuses nor does nothing on a state that another process has changed', async () => {
    const store = new InMemoryEventStore<CounterEvent>();
    const [left, right] = [handlerOn(store), handlerOn(store)];
    const add = (commandId: string) => ({ ...origin, commandId });
    await left.handle('a', { type: 'Add', amount: 1 }, add('1'));
    await right.handle('a', (state) => ({ type: 'Add', amount: state.total }), add('2'));
    // `left` believes that the total is 1, where this command adds nothing.
    const onceTwo = (state: CounterState): CounterCommand => ({ type: 'Add', amount: state.total < 2 ? 0 : 5 });
    expect(await left.handle('a', onceTwo, add('3'))).toMatchObject({ version: 3, state: { total: 7 } });
    await right.handle('a', { type: 'Close', at: 1 }, add('4'));
    expect((await left.load('a')).state).toEqual({ total: 7, closed: true });
  });

  it('decides a refusal again when the refusing state is outdated', async () => {
    const store = new InMemoryEventStore<CounterEvent>();
    const limited = {
      ...counterDecider,
      // Accepts only what comes after somebody added something.
      decide: (command: CounterCommand, state: CounterState) => {
        if (command.type === 'Close' && state.total < 2) throw new GantryError('COUNTER.TOO_LOW', 'conflict', 'Add.');
        return counterDecider.decide(command, state);
      },
    };
    const [left, right] = [handlerOn(store, { decider: limited }), handlerOn(store, { decider: limited })];
    await left.handle('a', { type: 'Add', amount: 1 }, { ...origin, commandId: '1' });
    await right.handle('a', { type: 'Add', amount: 1 }, { ...origin, commandId: '2' });
    expect((await left.handle('a', { type: 'Close', at: 3 }, { ...origin, commandId: '3' })).state.closed).toBe(true);
    await left.handle('b', { type: 'Add', amount: 1 }, { ...origin, commandId: '4' });
    await expect(left.handle('b', { type: 'Close', at: 3 }, { ...origin, commandId: '5' })).rejects.toMatchObject({
      code: 'COUNTER.TOO_LOW',
    });
  });

  it('makes the command from the state it is decided on', async () => {
    const store = new InMemoryEventStore<CounterEvent>();
    const handler = handlerOn(store);
    await handler.handle('a', { type: 'Add', amount: 4 }, origin);
    await handler.handle('a', (state) => ({ type: 'Add', amount: state.total * 10 }), {
      ...origin,
      commandId: 'command-2',
    });
    expect((await handler.load('a')).state.total).toBe(44);
  });

  it('gives up after its retries when it always loses the race', async () => {
    const store = new InMemoryEventStore<CounterEvent>();
    let appends = 0;
    const contested: Options['store'] = {
      load: (subject) => store.load(subject),
      newestSequence: (subject) => store.newestSequence(subject),
      follow: (options) => store.follow(options),
      append: async (subject, commit, expected) => {
        appends += 1;
        await store.append(subject, { ...commit, id: `rival-${appends}` }, expected);
        return await store.append(subject, commit, expected);
      },
    };
    await expect(
      handlerOn(contested, { maxRetries: 3 }).handle('a', { type: 'Add', amount: 1 }, origin),
    ).rejects.toMatchObject({
      code: 'STORE.CONCURRENT_APPEND',
      retryable: true,
    });
    expect(appends).toBe(4);
  });

  it('reads the truth again after a failed append instead of trusting its cache', async () => {
    const store = new InMemoryEventStore<CounterEvent>();
    let lost = true;
    const unreliable: Options['store'] = {
      load: (subject) => store.load(subject),
      newestSequence: (subject) => store.newestSequence(subject),
      follow: (options) => store.follow(options),
      append: async (subject, commit, expected) => {
        const result = await store.append(subject, commit, expected);
        if (!lost) return result;
        lost = false;
        throw new GantryError('BROKER.UNAVAILABLE', 'unavailable', 'The acknowledgement was lost.');
      },
    };
    const handler = handlerOn(unreliable);
    await expect(handler.handle('a', { type: 'Add', amount: 1 }, origin)).rejects.toMatchObject({ retryable: true });
    // The caller repeats the command: it was stored the first time.
    expect(await handler.handle('a', { type: 'Add', amount: 1 }, origin)).toMatchObject({
      state: { total: 1 },
      version: 1,
      stored: undefined,
    });
    expect(store.all).toHaveLength(1);
  });
});

describe('given/when/then', () => {
  it('compares exact events and error codes', () => {
    const added: CounterEvent = { type: 'Added', data: { amount: 1 } };
    given(counterDecider, [added])
      .when({ type: 'Close', at: 7 })
      .then([{ type: 'Closed', data: { at: 7 } }]);
    given(counterDecider, [{ type: 'Closed', data: { at: 7 } }])
      .when({ type: 'Add', amount: 1 })
      .thenThrows('COUNTER.CLOSED');
    expect(() => given(counterDecider, []).when({ type: 'Add', amount: 1 }).then([])).toThrow();
    expect(() => given(counterDecider, []).when({ type: 'Add', amount: 1 }).thenThrows('COUNTER.CLOSED')).toThrow(
      /expected COUNTER.CLOSED/,
    );
    expect(() =>
      given(counterDecider, [{ type: 'Closed', data: { at: 7 } }])
        .when({ type: 'Add', amount: 1 })
        .thenThrows('OTHER'),
    ).toThrow();
  });

  it('goes on from what the caller recalls without reading the store, and reads it when that was outdated', async () => {
    const store = new InMemoryEventStore<CounterEvent>();
    let loads = 0;
    const load = store.load.bind(store);
    store.load = (subject) => {
      loads += 1;
      return load(subject);
    };
    const writer = handlerOn(store);
    const first = await writer.handle('a', { type: 'Add', amount: 2 }, origin);
    loads = 0;
    const recall = () => ({ state: first.state, version: first.version, lastSequence: first.lastSequence });
    const second = await handlerOn(store, { recall }).handle(
      'a',
      { type: 'Add', amount: 3 },
      { ...origin, commandId: 'command-2' },
    );
    expect({ state: second.state, version: second.version, loads }).toMatchObject({
      state: { total: 5 },
      version: 2,
      loads: 0,
    });
    const third = await handlerOn(store, { recall }).handle(
      'a',
      { type: 'Add', amount: 4 },
      { ...origin, commandId: 'command-3' },
    );
    expect({ state: third.state, version: third.version, loads }).toMatchObject({
      state: { total: 9 },
      version: 3,
      loads: 1,
    });
  });

  it('keeps the newer of what it knows and what is put back', async () => {
    const store = new InMemoryEventStore<CounterEvent>();
    const handler = handlerOn(store);
    const { state } = await handler.handle('a', { type: 'Add', amount: 2 }, origin);
    const known = handler.peek('a');
    expect(known).toEqual({ state, version: 1, lastSequence: 1 });
    handler.restore('a', { state: { ...state, total: 99 }, version: 1, lastSequence: 1 });
    expect(handler.peek('a')).toEqual(known);
    handler.restore('a', { state: { ...state, total: 7 }, version: 2, lastSequence: 4 });
    expect(handler.peek('a')).toMatchObject({ version: 2, lastSequence: 4 });
  });

  it('says that a history cannot be read, of that aggregate alone', async () => {
    const store = new InMemoryEventStore<CounterEvent>();
    const broken = {
      ...counterDecider,
      evolve: (state: CounterState, event: CounterEvent): CounterState => {
        if (event.type === 'Added' && event.data.amount === 13) throw new TypeError('unlucky');
        return counterDecider.evolve(state, event);
      },
    };
    await handlerOn(store).handle('a', { type: 'Add', amount: 13 }, origin);
    await handlerOn(store).handle('b', { type: 'Add', amount: 1 }, { ...origin, commandId: 'command-2' });
    const handler = handlerOn(store, { decider: broken });
    const add = { type: 'Add', amount: 2 } as const;
    await expect(handler.handle('a', add, { ...origin, commandId: 'command-3' })).rejects.toMatchObject({
      code: 'STORE.UNREADABLE_HISTORY',
      retryable: false,
      message: expect.stringContaining('The history of this counter holds a message') as string,
    });
    expect(await handler.handle('b', add, { ...origin, commandId: 'command-4' })).toMatchObject({ version: 2 });
  });

  it('reads the aggregate again after it was told to forget it', async () => {
    const store = new InMemoryEventStore<CounterEvent>();
    const handler = handlerOn(store);
    await handler.handle('a', { type: 'Add', amount: 2 }, origin);
    handler.forget('a');
    expect(handler.peek('a')).toBeUndefined();
    expect((await handler.load('a')).version).toBe(1);
  });
});
