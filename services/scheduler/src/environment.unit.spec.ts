import { expect, it } from 'vitest';
import { readEnvironment } from './environment.js';

it('reads policies per queue', () => {
  const environment = readEnvironment({ GANTRY_QUEUE_POLICIES: 'batch=spread, web=round-robin' });
  expect(environment).toMatchObject({
    GANTRY_SCHEDULER_POLICY: 'bin-pack',
    GANTRY_QUEUE_POLICIES: { batch: 'spread', web: 'round-robin' },
    GANTRY_LEASE_MS: 60_000,
  });
});

it.each(['batch', 'batch=fast', 'Batch=spread', 'a=spread=b'])('refuses %s', (text) => {
  expect(() => readEnvironment({ GANTRY_QUEUE_POLICIES: text })).toThrow('GANTRY_QUEUE_POLICIES');
});

it('refuses a lease shorter than agents can keep', () => {
  expect(() => readEnvironment({ GANTRY_LEASE_MS: '14999' })).toThrow('GANTRY_LEASE_MS');
});
