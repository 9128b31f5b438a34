import { seeded, type Seeded } from './seeded.js';

const all = [
  ...(['quick', 'steady', 'stubborn', 'failing', 'cancelled', 'endless', 'filing', 'hungry', 'lasting'] as const),
  ...(['patient', 'networked'] as const),
] as const;
export type TaskKind = (typeof all)[number];

export const queues = { containers: 'containers', processes: 'processes' } as const;
export type Queue = (typeof queues)[keyof typeof queues];

/** What to submit, when, and how it may end. */
export interface PlannedTask {
  readonly key: string;
  readonly kind: TaskKind;
  readonly queue: Queue;
  /** Milliseconds after the start of the run. */
  readonly at: number;
  readonly script: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly retries: number;
  /** Undefined = the lease of the pool. */
  readonly leaseSeconds?: number;
  /** Has a network: of the runtimes only containers can. */
  readonly networked: boolean;
  /** Submitted several times at once under its one key. */
  readonly repeated: boolean;
  /** Milliseconds after it was accepted; undefined = nobody cancels it. */
  readonly cancelAfter?: number;
}

export interface WorkloadRequest {
  readonly seed: number;
  readonly tasks: number;
  /** The submissions are spread over so many milliseconds. */
  readonly over: number;
  /** Share of containers, percent; the others are processes. */
  readonly containers: number;
  /** Of the pool. */
  readonly leaseMs: number;
  readonly taskKinds?: readonly TaskKind[];
}

const weights: readonly { readonly kind: TaskKind; readonly weight: number }[] = [
  { kind: 'quick', weight: 62 },
  { kind: 'steady', weight: 11 },
  { kind: 'stubborn', weight: 7 },
  { kind: 'failing', weight: 6 },
  { kind: 'cancelled', weight: 5 },
  { kind: 'endless', weight: 2 },
  { kind: 'filing', weight: 5 },
  { kind: 'hungry', weight: 2 },
  { kind: 'lasting', weight: 1 },
  { kind: 'patient', weight: 3 },
  { kind: 'networked', weight: 2 },
];

/** Beyond the pool's lease, seconds: some cuts and freezes outlast the one, none the other. */
const LONGER_LEASES = [5, 30] as const;

export function planTasks({ seed, tasks, over, containers, leaseMs, taskKinds = all }: WorkloadRequest): PlannedTask[] {
  // Another stream of numbers than the faults': a change of the one plan leaves the other alone.
  const random = seeded(seed ^ 0x5eed);
  const allowed = weights.filter(({ kind }) => taskKinds.includes(kind));
  const planned = Array.from({ length: tasks }, (_, index): PlannedTask => {
    const { kind } = random.weighted(allowed);
    const contained = random.between(1, 100) <= containers || kind === 'networked';
    return {
      key: `chaos-${seed}-${index}`,
      kind,
      queue: contained ? queues.containers : queues.processes,
      networked: kind === 'networked',
      at: random.between(0, over),
      script: scriptOf(kind, random),
      memoryMb: 32,
      timeoutSeconds: kind === 'endless' ? 3 : 600,
      retries: kind === 'failing' ? 1 : 0,
      repeated: random.between(1, 20) === 1,
      ...(kind === 'cancelled' ? { cancelAfter: random.between(0, 8_000) } : {}),
      ...(kind === 'patient' ? { leaseSeconds: leaseMs / 1_000 + random.oneOf(LONGER_LEASES) } : {}),
    };
  });
  return planned.sort((a, b) => a.at - b.at);
}

/**
 * Prints a line, then writes the same to the witness: what the witness has was printed before. The clock is that of the machine's
 * start, which containers and sandboxes share. All of it is done by the shell itself: no program is started for a line.
 */
const TELL =
  'n=0; w() { read t _ < /proc/uptime; n=$((n+1)); l="$GANTRY_TASK_ID $GANTRY_ATTEMPT $n $1 $t"; echo "$l"; echo "$l" >> /witness/$GANTRY_TASK_ID; }';
const YIELDS = "trap 'w term; exit 143' TERM";
const IGNORES = "trap '' TERM";

function beats(count: number): string {
  return `i=0; while [ $i -lt ${count} ]; do sleep 0.5; w beat; i=$((i+1)); done`;
}

function scriptOf(kind: TaskKind, random: Seeded): string {
  const parts = (): string[] => {
    switch (kind) {
      case 'quick':
        return ['w begin', 'w end'];
      case 'steady':
        return [YIELDS, 'w begin', beats(random.between(4, 50)), 'w end'];
      case 'stubborn':
        return [IGNORES, 'w begin', beats(random.between(10, 50)), 'w end'];
      // Longer than a lease and the longest cut.
      case 'lasting':
        return [IGNORES, 'w begin', beats(80), 'w end'];
      case 'patient':
        return [YIELDS, 'w begin', beats(random.between(40, 80)), 'w end'];
      case 'networked':
        return [YIELDS, 'w begin', '[ -e /sys/class/net/eth0 ] || exit 9', beats(random.between(2, 30)), 'w end'];
      case 'failing':
        return ['w begin', 'w end', 'exit 3'];
      case 'cancelled':
        return [random.between(0, 1) === 0 ? YIELDS : IGNORES, 'w begin', beats(1_000), 'w end'];
      case 'endless':
        return [YIELDS, 'w begin', beats(1_000), 'w end'];
      case 'filing':
        return ['w begin', 'echo "$GANTRY_TASK_ID" > /output/result.txt', 'w end'];
      case 'hungry':
        return ['w begin', 'head -c 200m /dev/zero | tail', 'code=$?', 'w end', 'exit $code'];
    }
  };
  return [TELL, ...parts()].join('\n');
}
