import { describe, expect, it } from 'vitest';
import { timelineItem } from './timeline';

describe('timelineItem', () => {
  it('says what happened', () => {
    const item = timelineItem(
      {
        version: 2,
        occurredAt: 5,
        actor: 'scheduler',
        type: 'TaskAssigned',
        data: { attempt: 1, workerName: 'anvil' },
      },
      0,
    );
    expect(item).toMatchObject({ title: 'Assigned to anvil', detail: 'attempt 1', actor: 'scheduler', at: 5 });
  });

  it('never hides an event it does not know', () => {
    expect(timelineItem({ version: 3, occurredAt: 5, actor: 'x', type: 'TaskFrobbed', data: null }, 0).title).toBe(
      'TaskFrobbed',
    );
  });
});
