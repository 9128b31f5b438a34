import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { GantryError } from '@gantry/kernel/gantry-error';
import { hash, verify } from '@node-rs/argon2';
import type { PasswordHasher } from '../../application/password-hasher.port.js';

export interface Argon2Cost {
  /** KiB. */
  readonly memoryCost: number;
  readonly timeCost: number;
  readonly parallelism: number;
}

/** Source: OWASP Password Storage Cheat Sheet, argon2id, second of the equal choices. */
export const owaspCost: Argon2Cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

const MAX_WAITING = 256;

/**
 * argon2id (the library's default algorithm). Hashes run on libuv's thread pool: never more of them at once than leave a
 * thread for files and name resolution, and a queue that is too long is refused instead of answered too late.
 */
export class Argon2PasswordHasher implements PasswordHasher {
  private readonly slots = Math.max(1, Math.min(3, availableParallelism()));
  private readonly waiting: (() => void)[] = [];
  private busy = 0;

  private constructor(
    private readonly cost: Argon2Cost,
    private readonly hashOfNobody: string,
  ) {}

  static async create(cost: Argon2Cost): Promise<Argon2PasswordHasher> {
    return new Argon2PasswordHasher(cost, await hash(randomBytes(32), cost));
  }

  hash(password: string): Promise<string> {
    return this.inSlot(() => hash(password, this.cost));
  }

  async verify(passwordHash: string | undefined, password: string): Promise<boolean> {
    const matches = await this.inSlot(() => verify(passwordHash ?? this.hashOfNobody, password).catch(() => false));
    return matches && passwordHash !== undefined;
  }

  private async inSlot<T>(work: () => Promise<T>): Promise<T> {
    if (this.busy < this.slots) this.busy += 1;
    else await this.turn();
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      // The slot passes straight on, so `busy` stays as it is.
      if (next === undefined) this.busy -= 1;
      else next();
    }
  }

  private turn(): Promise<void> {
    if (this.waiting.length >= MAX_WAITING) {
      throw new GantryError(
        'AUTH.BUSY',
        'unavailable',
        'Too many people are logging in right now. Try again in a few seconds.',
      );
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}
