import { describe, expect, it } from 'vitest';
import type { Actor } from '../messaging/actor.js';
import type { StoredCommit } from '../messaging/commit.js';
import { timelineOf } from './task-timeline.js';

const stored = (version: number, actor: Actor, types: readonly string[]): StoredCommit =>
  ({
    subject: 'tasks.0.t',
    streamSequence: 10 + version,
    commit: { version, occurredAt: 100 + version, actor, events: types.map((type) => ({ type, data: { type } })) },
  }) as unknown as StoredCommit;

describe('the timeline of a task', () => {
  it('has an entry for each event, with where it is stored and who made it', () => {
    const commits = [
      stored(1, { kind: 'user', id: 'ada', name: 'Ada', role: 'user' }, ['TaskSubmitted']),
      stored(2, { kind: 'worker', id: 'w1' }, ['TaskStarted', 'TaskSucceeded']),
      stored(3, { kind: 'anonymous' }, ['TaskDeleted']),
    ];
    expect(timelineOf(commits)).toEqual(
      [
        ['user Ada', 'TaskSubmitted', 1],
        ['worker w1', 'TaskStarted', 2],
        ['worker w1', 'TaskSucceeded', 2],
        ['anonymous', 'TaskDeleted', 3],
      ].map(([actor, type, version]) => ({
        streamSequence: 10 + Number(version),
        version,
        occurredAt: 100 + Number(version),
        actor,
        type,
        data: { type },
      })),
    );
  });

  it('names the scheduler for an assignment that was recorded with the first report about it', () => {
    const [assigned, started] = timelineOf([stored(2, { kind: 'worker', id: 'w1' }, ['TaskAssigned', 'TaskStarted'])]);
    expect([assigned?.actor, started?.actor]).toEqual(['service scheduler', 'worker w1']);
  });
});
