import { validate, version } from 'uuid';
import { describe, expect, it } from 'vitest';
import { UuidV7 } from './uuid-v7.js';

describe('UUIDs of version 7', () => {
  it('are valid, carry their millisecond, and sort in the order of making, beyond a full millisecond and a clock set back', () => {
    let now = Date.UTC(2026, 0, 1);
    const ids = new UuidV7(() => now);
    const made: string[] = [];
    for (let index = 0; index < 20_000; index += 1) {
      if (index === 10_000) now += 1;
      if (index === 12_000) now -= 5_000;
      if (index === 15_000) now += 60_000;
      made.push(ids.next());
    }
    expect(made.every((id) => validate(id) && version(id) === 7)).toBe(true);
    expect(made.toSorted()).toEqual(made);
    expect(new Set(made).size).toBe(made.length);
    const millisecondOf = (id = ''): number => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
    expect(millisecondOf(made[0])).toBe(Date.UTC(2026, 0, 1));
    expect(millisecondOf(made[15_000])).toBe(now);
  });

  it('of two sources in one millisecond differ', () => {
    const [left, right] = [new UuidV7(() => 1), new UuidV7(() => 1)];
    const both = Array.from({ length: 4_000 }, () => [left.next(), right.next()]).flat();
    expect(new Set(both).size).toBe(both.length);
  });
});
