import { v5, v7, validate } from 'uuid';

/** Port for new identifiers. */
export interface IdSource {
  /** A fresh UUIDv7 (sorts by creation time). */
  next(): string;
}

export const uuidV7Ids: IdSource = { next: () => v7() };

/** Ids 1, 2, 3 ... as valid UUIDs, for tests that compare exact events. */
export class SequentialIds implements IdSource {
  private count = 0;

  next(): string {
    this.count += 1;
    return `00000000-0000-7000-8000-${this.count.toString(16).padStart(12, '0')}`;
  }
}

const NAMESPACE = '8f6c1d52-6f0b-5c5e-9d0e-3a1c2b4d5e6f';

/**
 * A UUIDv5 of the given parts: the same parts always give the same id, which is what makes a retried command harmless.
 * Parts are length-prefixed, so `('ab','c')` and `('a','bc')` differ.
 */
export function deterministicId(...parts: string[]): string {
  return v5(parts.map((part) => `${part.length}:${part}`).join('|'), NAMESPACE);
}

export function isUuid(value: string): boolean {
  return validate(value);
}
