import { describe, expect, it } from 'vitest';
import { GenerationalMap } from './generational-map.js';

describe('GenerationalMap', () => {
  it('remembers at least its capacity and at most twice as much', () => {
    const map = new GenerationalMap<number, string>(100);
    for (let key = 0; key < 1_050; key += 1) map.set(key, `value ${key}`);
    for (let key = 950; key < 1_050; key += 1) expect(map.has(key)).toBe(true);
    expect(map.has(849)).toBe(false);
  });

  it('keeps what is used, however much passes by', () => {
    const map = new GenerationalMap<string, number>(10);
    map.set('used', 1);
    for (let key = 0; key < 500; key += 1) {
      map.set(`passing ${key}`, key);
      expect(map.get('used')).toBe(1);
    }
  });

  it('answers the newest value after a change of generations, and nothing after a deletion', () => {
    const map = new GenerationalMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 1);
    map.set('a', 2);
    expect(map.get('a')).toBe(2);
    map.delete('a');
    expect(map.get('a')).toBeUndefined();
    expect(map.has('b')).toBe(true);
  });
});
