import { TransientMap } from './transient-map.js';

/** A set whose values come and go, for as long as the process lives: see `TransientMap`. */
export class TransientSet<Value> {
  private readonly values = new TransientMap<Value, true>();

  get size(): number {
    return this.values.size;
  }

  has(value: Value): boolean {
    return this.values.has(value);
  }

  add(value: Value): this {
    this.values.set(value, true);
    return this;
  }

  delete(value: Value): boolean {
    return this.values.delete(value);
  }

  clear(): void {
    this.values.clear();
  }

  [Symbol.iterator](): MapIterator<Value> {
    return this.values.keys();
  }
}
