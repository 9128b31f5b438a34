import { CoalescingQueue } from './coalescing-queue.js';
import { Throttle } from './throttle.js';

/** A service that dies says nothing: somebody has to ask. One round of questions serves every listener. */
const ASK_MS = 2_000;
/** Memory and latencies differ at every look; alone they are told less often. */
const NUMBERS_MS = 10_000;

interface HealthFacts {
  readonly status: string;
  readonly services: readonly {
    readonly service: string;
    readonly status: string;
    readonly reasons: readonly string[];
  }[];
}

/** The state of the system, pushed: at once when a part changes, its numbers now and then. Asks only while somebody listens. */
export class HealthFeed<Health extends HealthFacts> {
  private readonly queues = new Set<CoalescingQueue<Health>>();
  private readonly rounds: Throttle;
  private told: { facts: string; at: number } | undefined;

  constructor(
    private readonly read: () => Promise<Health>,
    askMs = ASK_MS,
    private readonly numbersMs = NUMBERS_MS,
  ) {
    this.rounds = new Throttle(() => this.look(), askMs);
  }

  get subscribers(): number {
    return this.queues.size;
  }

  async *states(signal: AbortSignal): AsyncGenerator<Health> {
    const queue = new CoalescingQueue<Health>();
    this.queues.add(queue);
    try {
      const first = await this.read();
      this.told ??= { facts: factsOf(first), at: performance.now() };
      this.rounds.request();
      yield first;
      while (!signal.aborted) yield* await queue.drain(signal);
    } finally {
      this.queues.delete(queue);
      if (this.queues.size === 0) {
        this.rounds.stop();
        this.told = undefined;
      }
    }
  }

  private async look(): Promise<void> {
    try {
      this.tell(await this.read());
    } finally {
      if (this.queues.size > 0) this.rounds.request();
    }
  }

  private tell(health: Health): void {
    const facts = factsOf(health);
    const now = performance.now();
    if (this.told?.facts === facts && now - this.told.at < this.numbersMs) return;
    this.told = { facts, at: now };
    for (const queue of this.queues) queue.push('health', health);
  }
}

function factsOf({ status, services }: HealthFacts): string {
  return JSON.stringify([status, services.map(({ service, status: each, reasons }) => [service, each, reasons])]);
}
