import { seeded, type Seeded } from './seeded.js';

export type FaultKind = 'kill' | 'freeze' | 'cut' | 'fill' | 'clock' | 'kill-all';

/** One disturbance; what it is done to is named, how it is done is in `faults.ts`. */
export interface PlannedFault {
  /** Milliseconds after the start of the run. */
  readonly at: number;
  readonly kind: FaultKind;
  /** A part (`tasks`, `agent-1`, `agent-1-keeper`, `nats`, `docker`), a stream for `fill`, `all` for `kill-all`. */
  readonly target: string;
  /** How long it lasts; 0 = it is a moment. */
  readonly duration: number;
  /** Of a cut: `link` takes the carrier away, `silence` swallows every packet. Of a clock: set while it runs, or while it is down. */
  readonly how?: 'link' | 'silence' | 'running' | 'restart';
  /** Of a clock: set ahead by so many seconds, negative = back. */
  readonly step?: number;
}

export interface PlanRequest {
  readonly seed: number;
  readonly faults: number;
  /** Mean time between the beginnings of two faults, ms. */
  readonly spacing: number;
  readonly leaseMs: number;
  readonly services: readonly string[];
  readonly agents: readonly string[];
  readonly kinds?: readonly FaultKind[];
  /** Freezes and cuts all outlast the lease. */
  readonly long?: boolean;
  /** Nothing but agents is frozen. */
  readonly agentsOnly?: boolean;
  /** None of them does: for a run that shall end soon. */
  readonly brief?: boolean;
}

/** Seconds: within what protocols tolerate, about a lease, more than any token or cache lives. */
const STEPS = [5, 60, 600, 7_200] as const;

/** A clock that is set is no hindrance to another fault of the same part. */
export function clockOf(part: string): string {
  return `clock of ${part}`;
}

/** How the lease keeper of an agent is called in plans and reports. */
export function keeperOf(agent: string): string {
  return `${agent}-keeper`;
}

/** Longer than ended tasks stay in TASKS in such a run (65 s), and than the broker keeps a reader that asks for nothing. */
const ABSENCE_MS = [80_000, 110_000] as const;

/** Streams that refuse when they are full; the others drop what is old, by design. */
const FILLABLE = ['TASKS', 'ARCHIVE', 'REPORTS', 'ASSIGN', 'ARTIFACTS'] as const;

const weights: readonly { readonly kind: FaultKind; readonly weight: number }[] = [
  { kind: 'kill', weight: 45 },
  { kind: 'freeze', weight: 25 },
  { kind: 'cut', weight: 22 },
  { kind: 'fill', weight: 6 },
  { kind: 'clock', weight: 12 },
  { kind: 'kill-all', weight: 2 },
];

/** Same request, same plan. Two faults never hold the same target at once; different targets may well be down together. */
export function planFaults(request: PlanRequest): PlannedFault[] {
  const random = seeded(request.seed);
  const allowed = weights.filter(({ kind }) => request.kinds?.includes(kind) ?? true);
  const busyUntil = new Map<string, number>();
  const plan: PlannedFault[] = [];
  let at = 0;
  while (plan.length < request.faults) {
    at += random.wait(request.spacing);
    const fault = { at, ...choose(random, random.weighted(allowed).kind, request) };
    if (fault.at < (busyUntil.get(fault.target) ?? 0)) continue;
    busyUntil.set(fault.target, fault.at + fault.duration + 1);
    plan.push(fault);
  }
  return plan;
}

function choose(random: Seeded, kind: FaultKind, request: PlanRequest): Omit<PlannedFault, 'at'> {
  const { services, agents } = request;
  switch (kind) {
    case 'kill': {
      const target = random.weighted([
        ...services.map((name) => ({ name, weight: 4 })),
        ...agents.map((name) => ({ name, weight: 5 })),
        ...agents.map((name) => ({ name: keeperOf(name), weight: 1 })),
        { name: 'nats', weight: 3 },
        { name: 'docker', weight: 3 },
      ]).name;
      return { kind, target, duration: 0 };
    }
    case 'freeze': {
      const others = [
        ...services.map((name) => ({ name, weight: 3 })),
        ...['nats', 'docker'].map((name) => ({ name, weight: 2 })),
      ];
      const target = random.weighted([
        ...agents.map((name) => ({ name, weight: 5 })),
        ...(request.agentsOnly === true ? [] : others),
      ]).name;
      const away = services.includes(target) && request.brief !== true && random.between(1, 3) === 1;
      return { kind, target, duration: away ? random.between(...ABSENCE_MS) : howLong(random, request) };
    }
    case 'cut':
      return {
        kind,
        target: random.oneOf(agents),
        duration: howLong(random, request),
        how: random.oneOf(['link', 'silence'] as const),
      };
    case 'fill':
      return { kind, target: random.oneOf(FILLABLE), duration: random.between(1_000, 4_000) };
    case 'clock':
      return {
        kind,
        target: clockOf(random.oneOf([...services, ...agents])),
        duration: howLong(random, request),
        how: random.oneOf(['running', 'restart'] as const),
        step: random.oneOf([-1, 1] as const) * random.oneOf(STEPS),
      };
    case 'kill-all':
      return { kind, target: 'all', duration: 0 };
  }
}

/** Half of them are over before any lease is, the others outlast it and the margin after it. */
function howLong(random: Seeded, { leaseMs, long = false, brief = false }: PlanRequest): number {
  return brief || (random.between(0, 1) === 0 && !long)
    ? random.between(500, 4_000)
    : random.between(leaseMs + 2_000, leaseMs + 10_000);
}
