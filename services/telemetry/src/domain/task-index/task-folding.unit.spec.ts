import { describe, expect, it } from 'vitest';
import {
  START,
  storedOf,
  taskAssigned,
  taskCommit,
  taskStarted,
  taskSubmitted,
  taskSucceeded,
} from '../../testing/stream-messages.js';
import { foldAcrossGaps, foldContiguous } from './task-folding.js';
import { ViewCache } from './view-cache.js';

const id = '11111111-1111-4111-8111-111111111111';
const history = [
  storedOf(1, taskCommit(id, 1, taskSubmitted())),
  storedOf(5, taskCommit(id, 2, taskAssigned())),
  storedOf(6, taskCommit(id, 3, taskStarted(START + 2_000))),
  storedOf(9, taskCommit(id, 4, taskSucceeded(START + 5_000))),
];

describe('foldContiguous', () => {
  it('folds in version order, however the commits come', () => {
    const { view, missingVersion } = foldContiguous(undefined, [...history].reverse());
    expect(view).toMatchObject({ status: 'succeeded', version: 4 });
    expect(missingVersion).toBeUndefined();
  });

  it('repetition changes nothing', () => {
    const once = foldContiguous(undefined, history).view;
    expect(foldContiguous(once, [...history, ...history]).view).toBe(once);
  });

  it('stops before a gap and names what is missing', () => {
    const known = foldContiguous(undefined, history.slice(0, 1)).view;
    expect(foldContiguous(known, history.slice(2))).toEqual({ view: known, missingVersion: 2 });
  });

  it('a view from the middle of the history takes the rest', () => {
    const known = foldContiguous(undefined, history.slice(0, 2)).view;
    expect(foldContiguous(known, history.slice(1)).view).toEqual(foldContiguous(undefined, history).view);
  });
});

it('foldAcrossGaps takes what there is', () => {
  expect(
    foldAcrossGaps(
      undefined,
      [history[0], history[3]].filter((stored) => stored !== undefined),
    ),
  ).toMatchObject({ status: 'succeeded', version: 4 });
  expect(foldAcrossGaps(undefined, history.slice(1))).toBeUndefined();
});

describe('ViewCache', () => {
  const viewOf = (taskId: string, ended: boolean) => {
    const commits = [
      storedOf(1, taskCommit(taskId, 1, taskSubmitted(), taskAssigned())),
      storedOf(2, taskCommit(taskId, 2, taskSucceeded(START))),
    ];
    const { view } = foldContiguous(undefined, ended ? commits : commits.slice(0, 1));
    if (view === undefined) throw new Error('no view');
    return view;
  };

  it('drops the least recently stored and forgets what ended', () => {
    const cache = new ViewCache(2);
    for (const taskId of ['a', 'b', 'a', 'c']) cache.put(viewOf(taskId, false));
    expect(cache.get('b')).toBeUndefined();
    cache.put(viewOf('a', true));
    expect(cache.get('a')).toBeUndefined();
  });
});
