import type { Commit } from '@gantry/contracts/messaging/commit';
import { streams } from '@gantry/contracts/messaging/streams';
import type { AssignEvent } from '@gantry/contracts/scheduling/assign-events';
import { connectNats } from '@gantry/jetstream/connect';
import { followStream } from '@gantry/jetstream/follow-stream';
import { ensureStream } from '@gantry/jetstream/stream-admin';
import { type FleetSettings, type FleetTally, SUBMITTED_LABEL } from './fleet-protocol.js';
import { agentStreams, SimulatedWorker } from './simulated-worker.js';

/**
 * Many simulated workers in one process, on a few shared broker connections and with one shared reader of ASSIGN (real agents have a
 * connection and a subscription each). Settings come in GANTRY_BENCH_FLEET as JSON.
 */
const settings = JSON.parse(process.env['GANTRY_BENCH_FLEET'] ?? '') as FleetSettings;
const connections = await Promise.all(
  Array.from({ length: settings.connections }, (_, index) =>
    connectNats({
      url: process.env['NATS_URL'] ?? '',
      user: process.env['NATS_USER'],
      password: process.env['NATS_PASSWORD'],
      name: `simulated-fleet-${index}`,
    }),
  ),
);
const first = connections[0]!;
for (const stream of agentStreams) await ensureStream(first, stream);
const startedAt = Date.now();
const workers = Array.from(
  { length: settings.workers },
  (_, index) => new SimulatedWorker(connections[index % connections.length]!, settings, index, startedAt),
);
const byId = new Map(workers.map((worker) => [worker.id, worker]));

const counts = { received: 0, finished: 0, heartbeats: 0, heartbeatFailures: 0 };
let latencies: number[] = [];

function fail(error: unknown): void {
  process.send?.({ type: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}

function take(commit: Commit<AssignEvent>, sequence: number): void {
  const worker = byId.get(commit.aggregateId);
  if (worker === undefined) return;
  worker.noteSequence(sequence);
  for (const event of commit.events) {
    if (event.type !== 'TaskAssigned') continue;
    counts.received += 1;
    const submitted = event.data.spec.labels[SUBMITTED_LABEL];
    if (submitted !== undefined) latencies.push(performance.timeOrigin + performance.now() - Number(submitted));
    worker.run(event.data).then(() => {
      counts.finished += 1;
    }, fail);
  }
}

async function beat(worker: SimulatedWorker): Promise<void> {
  try {
    await worker.heartbeat();
    counts.heartbeats += 1;
  } catch {
    counts.heartbeatFailures += 1;
  }
}

process.on('message', (message: { type: string }) => {
  if (message.type === 'stop') process.exit(0);
  if (message.type !== 'tally') return;
  const tally: FleetTally = { ...counts, latencies };
  latencies = [];
  process.send?.({ type: 'tally', tally });
});
process.once('SIGTERM', () => process.exit(0));
process.once('disconnect', () => process.exit(0));

followStream(first, streams.assign.name, {
  fromSequence: 1,
  onMessage: (message) => take(message.json() as Commit<AssignEvent>, message.streamSequence),
  signal: new AbortController().signal,
}).catch(fail);
// Spread over the interval, as agents that were started at different times are; the first round is all at once.
for (let at = 0; at < workers.length; at += 500) await Promise.all(workers.slice(at, at + 500).map(beat));
workers.forEach((worker, index) => {
  setTimeout(
    () => {
      void beat(worker);
      setInterval(() => void beat(worker), settings.heartbeatMs);
    },
    (index / workers.length) * settings.heartbeatMs,
  );
});
process.send?.({ type: 'ready' });
