import { GantryError } from '@gantry/kernel/gantry-error';
import { TransientSet } from '@gantry/kernel/transient-set';
import type { NatsConnection } from '@nats-io/transport-node';
import { manager } from './stream-admin.js';
import { SubjectReader } from './subject-reader.js';

interface Waiter {
  readonly sequence: number;
  readonly resolve: () => void;
}

/** A reader that is well is a few milliseconds behind; after this long it is asked whether there is anything to wait for. */
const SUSPICIOUS_MS = 250;
const PATIENCE_MS = 5_000;

/**
 * Lets a replica answer as if it were the only one: `reach` resolves when this process has taken in everything that the
 * stream held at the call, whoever wrote it. Costs one question to the broker, shared by all who ask meanwhile, and a wait
 * only for what others wrote in the last milliseconds.
 */
export class StreamBarrier {
  private position = 0;
  /** Own commits beyond `position`, applied before the stream delivers them. */
  private readonly ahead = new TransientSet<number>();
  private waiters: Waiter[] = [];
  private asked: Promise<number> | undefined;
  private asksNext: Promise<number> | undefined;

  constructor(
    private readonly nc: NatsConnection,
    private readonly stream: string,
  ) {}

  /** Everything up to this sequence is taken in. */
  advance(sequence: number): void {
    this.ahead.delete(sequence);
    if (sequence > this.position) this.moveTo(sequence);
  }

  /** This one is taken in already, because this process wrote it; those before it perhaps not. */
  wrote(sequence: number): void {
    if (sequence <= this.position) return;
    this.ahead.add(sequence);
    this.moveTo(this.position);
  }

  /** Throws a retryable `unavailable` error when the broker does not answer or the reader stands still. */
  async reach(): Promise<void> {
    const newest = await this.newest();
    if (newest <= this.position) return;
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await this.waitFor(newest, SUSPICIOUS_MS))) {
      // What was deleted at the end of a stream is never delivered.
      if (!(await this.holdsBetween(this.position, newest))) {
        this.advance(newest);
        return;
      }
      if (performance.now() >= deadline) throw behind(this.stream);
    }
  }

  private moveTo(sequence: number): void {
    let position = sequence;
    while (this.ahead.delete(position + 1)) position += 1;
    this.position = position;
    if (this.waiters.length === 0) return;
    const due = this.waiters.filter((waiter) => waiter.sequence <= position);
    if (due.length === 0) return;
    this.waiters = this.waiters.filter((waiter) => waiter.sequence > position);
    for (const waiter of due) waiter.resolve();
  }

  private waitFor(sequence: number, milliseconds: number): Promise<boolean> {
    if (sequence <= this.position) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.waiters = this.waiters.filter((other) => other !== waiter);
        resolve(false);
      }, milliseconds);
      const waiter: Waiter = {
        sequence,
        resolve: () => {
          clearTimeout(timer);
          resolve(true);
        },
      };
      this.waiters.push(waiter);
    });
  }

  /** A question that is on its way may be older than the caller's; one that is sent after it serves all who wait by then. */
  private newest(): Promise<number> {
    if (this.asked === undefined) return this.ask();
    this.asksNext ??= this.asked
      .catch(() => undefined)
      .then(() => {
        this.asksNext = undefined;
        return this.ask();
      });
    return this.asksNext;
  }

  private ask(): Promise<number> {
    const asked = this.lastSequence().finally(() => {
      if (this.asked === asked) this.asked = undefined;
    });
    this.asked = asked;
    return asked;
  }

  private async lastSequence(): Promise<number> {
    try {
      const jsm = await manager(this.nc);
      return (await jsm.streams.info(this.stream)).state.last_seq;
    } catch (cause) {
      throw behind(this.stream, cause);
    }
  }

  private async holdsBetween(after: number, upTo: number): Promise<boolean> {
    try {
      const next = await new SubjectReader(this.nc, this.stream).next(after + 1);
      return next !== undefined && next.sequence <= upTo;
    } catch (cause) {
      throw behind(this.stream, cause);
    }
  }
}

function behind(stream: string, cause?: unknown): GantryError {
  return new GantryError(
    'STORE.BEHIND',
    'unavailable',
    `What stream ${stream} holds now cannot be shown yet. Try again in a moment.`,
    { cause },
  );
}
