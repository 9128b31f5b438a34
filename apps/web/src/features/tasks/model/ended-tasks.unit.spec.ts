import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TaskStatus } from '@/gql/graphql';
import { EndedTasks, type EndedNews } from './ended-tasks';

describe('news of ended tasks', () => {
  let news: EndedNews[];
  let ended: EndedTasks;
  const end = (id: number, status: TaskStatus = 'succeeded') => ended.add({ id: `${id}`, name: `task ${id}`, status });

  beforeEach(() => {
    vi.useFakeTimers();
    news = [];
    ended = new EndedTasks((one) => news.push(one));
  });
  afterEach(() => {
    ended.dispose();
    vi.useRealTimers();
  });

  it('names a task that ends alone, once', () => {
    end(1);
    end(1);
    vi.advanceTimersByTime(20_000);
    end(1);
    vi.advanceTimersByTime(20_000);
    expect(news).toEqual([{ kind: 'one', task: { id: '1', name: 'task 1', status: 'succeeded' } }]);
  });

  it('counts those that end together in one message', () => {
    end(1);
    end(2, 'failed');
    end(3);
    vi.advanceTimersByTime(1_000);
    expect(news).toEqual([
      {
        kind: 'many',
        total: 3,
        counts: [
          ['succeeded', 2],
          ['failed', 1],
        ],
      },
    ]);
  });

  it('goes on counting while more end, and starts anew after a quiet while', () => {
    for (let id = 0; id < 10; id += 1) {
      end(id);
      vi.advanceTimersByTime(2_000);
    }
    expect(news.map((one) => (one.kind === 'one' ? 1 : one.total))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    vi.advanceTimersByTime(10_000);
    end(11);
    vi.advanceTimersByTime(1_000);
    expect(news.at(-1)).toMatchObject({ kind: 'one', task: { id: '11' } });
  });

  it('tells nothing after it was given up', () => {
    end(1);
    ended.dispose();
    vi.advanceTimersByTime(20_000);
    expect(news).toEqual([]);
  });
});
