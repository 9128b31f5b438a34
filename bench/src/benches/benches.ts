import type { Bench } from '../harness/bench.port.js';
import { dockerBench } from './docker.bench.js';
import { endToEndBench } from './end-to-end.bench.js';
import { growthBench } from './growth.bench.js';
import { ingestBench } from './ingest.bench.js';
import { latencyBench } from './latency.bench.js';
import { logsBench } from './logs.bench.js';
import { placementBench } from './placement.bench.js';
import { processesBench } from './processes.bench.js';
import { queuesBench } from './queues.bench.js';
import { restartBench, restartHistoryBench } from './restart.bench.js';
import { startStopBench } from './start-stop.bench.js';
import { storeBench } from './store.bench.js';

/** In the order of running. */
export const benches: readonly Bench[] = [
  placementBench,
  storeBench,
  endToEndBench,
  processesBench,
  latencyBench,
  queuesBench,
  growthBench,
  ingestBench,
  logsBench,
  dockerBench,
  startStopBench,
  restartBench,
  restartHistoryBench,
];
