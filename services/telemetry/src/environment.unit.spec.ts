import { describe, expect, it } from 'vitest';
import { readEnvironment } from './environment.js';

describe('environment', () => {
  it('has defaults for one machine', () => {
    expect(readEnvironment({})).toMatchObject({
      clickHousePath: '.gantry/clickhouse',
      CLICKHOUSE_DATABASE: 'gantry',
      GANTRY_LOG_RETENTION_DAYS: 30,
      GANTRY_METRIC_RETENTION_DAYS: 30,
      GANTRY_TELEMETRY_REBUILD: false,
      GANTRY_TELEMETRY_NICENESS: 10,
    });
  });

  it('reads a server and the rebuild switch', () => {
    expect(readEnvironment({ CLICKHOUSE_URL: 'http://ch:8123', GANTRY_TELEMETRY_REBUILD: 'true' })).toMatchObject({
      CLICKHOUSE_URL: 'http://ch:8123',
      GANTRY_TELEMETRY_REBUILD: true,
    });
  });

  it.each([
    { CLICKHOUSE_URL: 'tcp://ch:9000' },
    { CLICKHOUSE_DATABASE: 'a-b' },
    { GANTRY_LOG_RETENTION_DAYS: '0' },
    { GANTRY_TELEMETRY_NICENESS: '20' },
  ])('refuses %o', (wrong) => {
    expect(() => readEnvironment(wrong)).toThrow(Object.keys(wrong)[0]);
  });
});
