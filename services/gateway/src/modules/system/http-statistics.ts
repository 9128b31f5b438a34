import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const WINDOW_MS = 60_000;
/** Enough for percentiles; under more load the minute is represented by its newest requests. */
const MAX_SAMPLES = 20_000;

export interface Latencies {
  httpRequests: number;
  httpErrors: number;
  latencyP50Ms: number | null;
  latencyP99Ms: number | null;
}

/** Counts and times HTTP requests, for Prometheus and for the health page. */
export class HttpStatistics {
  private readonly samples: { at: number; ms: number }[] = [];
  private requests = 0;
  private errors = 0;
  private readonly counter: Counter;
  private readonly histogram: Histogram;

  constructor(registry: Registry) {
    this.counter = new Counter({
      name: 'gantry_http_requests_total',
      help: 'HTTP requests by route and status class.',
      labelNames: ['method', 'route', 'status'],
      registers: [registry],
    });
    this.histogram = new Histogram({
      name: 'gantry_http_request_seconds',
      help: 'Time until the reply was sent.',
      labelNames: ['method', 'route'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers: [registry],
    });
  }

  /** `ms` is undefined for streams: how long a client listens is not a latency. */
  record(method: string, route: string, status: number, ms: number | undefined): void {
    this.requests += 1;
    if (status >= 500) this.errors += 1;
    this.counter.inc({ method, route, status: `${Math.floor(status / 100)}xx` });
    if (ms === undefined) return;
    this.histogram.observe({ method, route }, ms / 1_000);
    this.samples.push({ at: performance.now(), ms });
    if (this.samples.length > MAX_SAMPLES) this.samples.splice(0, MAX_SAMPLES / 2);
  }

  latencies(): Latencies {
    const since = performance.now() - WINDOW_MS;
    const recent = this.samples
      .filter(({ at }) => at >= since)
      .map(({ ms }) => ms)
      .sort((a, b) => a - b);
    const percentile = (share: number) =>
      recent[Math.min(recent.length - 1, Math.floor(share * recent.length))] ?? null;
    return {
      httpRequests: this.requests,
      httpErrors: this.errors,
      latencyP50Ms: percentile(0.5),
      latencyP99Ms: percentile(0.99),
    };
  }
}

/** Numbers that are read when Prometheus asks. */
export function gaugeOf(
  registry: Registry,
  name: string,
  help: string,
  read: () => Readonly<Record<string, number>>,
): void {
  new Gauge({
    name,
    help,
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      for (const [kind, value] of Object.entries(read())) this.set({ kind }, value);
    },
  });
}
