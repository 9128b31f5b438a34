import type { GantryError } from '@gantry/kernel/gantry-error';
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

it('says how short and how long a lease may be', () => {
  const problem = (lease: string) => {
    try {
      readEnvironment({ GANTRY_LEASE_MS: lease });
      return undefined;
    } catch (error) {
      return (error as GantryError).fields;
    }
  };
  expect(problem('14999')).toEqual([
    { path: 'GANTRY_LEASE_MS', message: expect.stringContaining('14999 must be at least 15000') },
  ]);
  expect(problem('604800001')).toEqual([
    { path: 'GANTRY_LEASE_MS', message: expect.stringContaining('must be at most 604800000') },
  ]);
  expect(problem('15000')).toBeUndefined();
});
