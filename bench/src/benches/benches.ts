import type { Bench } from '../harness/bench.port.js';
import { dockerBench } from './docker.bench.js';
import { endToEndBench } from './end-to-end.bench.js';
import { placementBench } from './placement.bench.js';
import { startStopBench } from './start-stop.bench.js';

/** In the order of running. */
export const benches: readonly Bench[] = [placementBench, endToEndBench, dockerBench, startStopBench];
