import { describe, expect, it } from 'vitest';
import { createLogger } from './logger.js';
import { NestLogger } from './nest-logger.js';

const capture = (format: 'json' | 'pretty', level = 'info') => {
  const lines: string[] = [];
  const logger = createLogger('tasks', { level, format, destination: { write: (line) => void lines.push(line) } });
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> };
};

describe('logger', () => {
  it('writes one JSON object a line: stable message, fields, level by name', () => {
    const { logger, lines, last } = capture('json');
    logger.info({ taskId: 't-1' }, 'task stored');
    expect(last()).toMatchObject({ level: 'info', name: 'tasks', taskId: 't-1', msg: 'task stored' });
    expect(String(last()['time'])).toMatch(/^\d{4}-\d\d-\d\dT/);
    logger.debug('too quiet');
    expect(lines).toHaveLength(1);
  });

  it('cuts secrets out, whoever logs them', () => {
    const { logger, lines } = capture('json');
    logger.info({ password: 'hunter2', user: { token: 'abc123', name: 'Ada' } }, 'logged in');
    expect(lines[0]).not.toMatch(/hunter2|abc123/);
    expect(lines[0]).toContain('Ada');
  });

  it('writes a readable line for people, with the stack of an error', () => {
    const { logger, lines } = capture('pretty');
    logger.warn({ taskId: 't-1', attempt: 2, err: new Error('broken') }, 'attempt failed');
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} WARN {2}tasks: attempt failed taskId=t-1 attempt=2\n {2}Error: broken/,
    );
  });

  it('takes Nest’s chatter at debug level and its errors as errors', () => {
    const { logger, last } = capture('json', 'debug');
    const nest = new NestLogger(logger);
    nest.log('Mapped {/}', 'RouterExplorer');
    expect(last()).toMatchObject({ level: 'debug', nest: 'RouterExplorer' });
    nest.error(new Error('no provider'), 'stack', 'Injector');
    expect(last()).toMatchObject({ level: 'error', nest: 'Injector', msg: 'no provider' });
  });
});
