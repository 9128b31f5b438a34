import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { baseEnvironmentShape, parseEnvironment, readBaseEnvironment } from './environment.js';

const schema = z.object({
  ...baseEnvironmentShape,
  DATABASE_URL: z.url(),
  WORKERS: z.coerce.number().int().min(1).default(2),
});

describe('environment', () => {
  it('has defaults for everything that a service on one machine needs', () => {
    expect(readBaseEnvironment({})).toEqual({
      NATS_URL: 'nats://127.0.0.1:4222',
      GANTRY_STREAM_REPLICAS: 1,
      LOG_LEVEL: 'info',
      LOG_FORMAT: 'json',
      METRICS_PORT: 0,
    });
  });

  it('parses text into values and takes empty for absent', () => {
    const parsed = parseEnvironment(schema, {
      DATABASE_URL: 'http://db:8123',
      WORKERS: '5',
      NATS_USER: '',
      LOG_LEVEL: '',
      METRICS_PORT: '9100',
    });
    expect(parsed).toMatchObject({ DATABASE_URL: 'http://db:8123', WORKERS: 5, LOG_LEVEL: 'info', METRICS_PORT: 9100 });
    expect(parsed.NATS_USER).toBeUndefined();
  });

  it('names every wrong variable at once and never prints a value', () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      const parse = () =>
        parseEnvironment(schema, { DATABASE_URL: 'secret-nonsense', WORKERS: 'many', LOG_LEVEL: 'loud' });
      expect(parse).toThrow(/LOG_LEVEL, DATABASE_URL, WORKERS/);
      const printed = write.mock.calls.map(([text]) => String(text)).join('');
      for (const name of ['LOG_LEVEL', 'DATABASE_URL', 'WORKERS']) expect(printed).toContain(`environment: ${name}: `);
      expect(printed).not.toContain('secret-nonsense');
    } finally {
      write.mockRestore();
    }
  });
});
