import { describe, expect, it } from 'vitest';
import { apiEndpoints } from './api-endpoints';
import { ConnectionStore } from './connection-state';
import { reconnectDelay } from './live-channel';

describe('reconnectDelay', () => {
  it('grows to ten seconds and is never the same for everyone', () => {
    expect(reconnectDelay(0, 0)).toBe(125);
    expect(reconnectDelay(0, 1)).toBe(250);
    expect(reconnectDelay(50, 1)).toBe(10_000);
    expect(reconnectDelay(50, 0)).toBe(5_000);
  });
});

describe('ConnectionStore', () => {
  it('counts re-connections, not the first connection', () => {
    const store = new ConnectionStore();
    store.lost();
    expect(store.get()).toEqual({ status: 'connecting', epoch: 0 });
    store.opened();
    expect(store.get()).toEqual({ status: 'live', epoch: 0 });
    store.lost();
    expect(store.get()).toEqual({ status: 'reconnecting', epoch: 0 });
    store.opened();
    expect(store.get()).toEqual({ status: 'live', epoch: 1 });
  });
});

describe('apiEndpoints', () => {
  it('looks beside the page unless told otherwise', () => {
    expect(apiEndpoints({ url: null, port: 4000 }, { protocol: 'http:', hostname: 'lab' })).toEqual({
      base: 'http://lab:4000',
      graphql: 'http://lab:4000/graphql',
      webSocket: 'ws://lab:4000/graphql',
    });
    expect(
      apiEndpoints({ url: 'https://api.example.org', port: 4000 }, { protocol: 'http:', hostname: 'lab' }).webSocket,
    ).toBe('wss://api.example.org/graphql');
  });
});
