import { describe, expect, it } from 'vitest';
import { servicePermissions, workerPermissions } from './permissions.js';
import { streams } from './streams.js';

const covers = (pattern: string, subject: string): boolean => {
  const tokens = pattern.split('.');
  const parts = subject.split('.');
  return (
    tokens.every((token, index) => token === '>' || token === '*' || token === parts[index]) &&
    (pattern.endsWith('>') || tokens.length === parts.length)
  );
};
const mayPublish = (patterns: readonly string[], subject: string): boolean =>
  patterns.some((pattern) => covers(pattern, subject));

const keptForEver: readonly string[] = [streams.dlq.name, streams.archive.name];

describe('permissions', () => {
  it('let exactly the owner of a stream write to it', () => {
    for (const { owner, subjects } of Object.values(streams)) {
      if (owner === 'agents' || owner === 'any') continue;
      for (const subject of subjects) {
        const example = subject.replace('>', 'x.y').replaceAll('*', 'x');
        const writers = Object.entries(servicePermissions).filter(([, { publish }]) => mayPublish(publish, example));
        expect(writers.map(([name]) => name)).toEqual([owner]);
      }
    }
  });

  it('let nobody but the maker of a stream change or empty it, and nobody delete it', () => {
    for (const { name } of Object.values(streams)) {
      for (const verb of ['UPDATE', 'PURGE', 'MSG.DELETE']) {
        const able = Object.entries(servicePermissions).filter(([, { publish }]) =>
          mayPublish(publish, `$JS.API.STREAM.${verb}.${name}`),
        );
        if (verb !== 'UPDATE') expect(able, `${verb} ${name}`).toHaveLength(keptForEver.includes(name) ? 0 : 1);
        else if (name !== streams.dlq.name) expect(able, `${verb} ${name}`).toHaveLength(1);
      }
      for (const { publish } of Object.values(servicePermissions)) {
        expect(mayPublish(publish, `$JS.API.STREAM.DELETE.${name}`)).toBe(false);
        expect(mayPublish(publish, `$JS.API.STREAM.RESTORE.${name}`)).toBe(false);
      }
    }
  });

  it('keep a worker to its own subjects', () => {
    const { publish, subscribe } = workerPermissions('w-1');
    expect(mayPublish(publish, 'report.w-1.t-1')).toBe(true);
    expect(mayPublish(publish, 'report.w-2.t-1')).toBe(false);
    expect(mayPublish(publish, 'fleet.w-2')).toBe(false);
    expect(mayPublish(publish, 'tasks.1.t-1')).toBe(false);
    expect(mayPublish(publish, 'assign.w-1')).toBe(false);
    expect(mayPublish(publish, '$JS.API.STREAM.PURGE.TASKS')).toBe(false);
    expect(mayPublish(publish, '$JS.API.CONSUMER.CREATE.ASSIGN.reader.assign.w-1')).toBe(true);
    expect(mayPublish(publish, '$JS.API.CONSUMER.CREATE.ASSIGN.reader.assign.w-2')).toBe(false);
    expect(mayPublish(publish, '$JS.API.CONSUMER.CREATE.ASSIGN')).toBe(false);
    expect(subscribe).toEqual(['assign.w-1', '_INBOX.>']);
  });
});
